using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// What a server sends on request to addresses that have proven themselves, from whichever of its sockets: whoever holds the cookie of
/// an address has got a datagram there, and what goes there is shorter than what asked for it. One owner.
/// </summary>
// spec: RDV-20, RDV-23
internal sealed class ServerEchoes(RendezvousServerOptions options, ServerAlternates alternates, CookieSecret cookies, ServerOutbox outbox)
{
    /// <summary>Datagrams for the other sockets that wait; an owner that drains never sees the limit.</summary>
    private const int MaxAsides = 64;

    private readonly HostLimiter _rate = new(options.EchoesPerSecondAndHost, options.EchoesPerSecondAndHost, options.MaxHosts, options.Shares);
    private readonly Queue<(ServerSocket From, NetworkAddress Destination, byte[] Datagram)> _asides = [];

    /// <summary>The other sockets, as far as they are of use to <paramref name="client"/>: an address of the other internet protocol is not.</summary>
    public ServerAlternates AlternatesFor(NetworkAddress client) =>
        alternates.OtherAddress.Family == client.Family ? alternates : alternates with { OtherAddress = default };

    /// <summary>Takes an Echo.</summary>
    public Refusal Handle(Instant now, NetworkAddress source, ReadOnlySpan<byte> datagram)
    {
        if (!EchoMessage.TryParse(datagram, out EchoMessage echo, out Refusal refusal))
        {
            return refusal;
        }

        NetworkAddress target = echo.Target.IsNone ? source : echo.Target;
        refusal = !HasSocket(echo.From, target) ? Refusal.Unexpected
            : !echo.Cookie.Proves(cookies, now, target) ? Refusal.CookieRequired
            : !_rate.TryTake(now, target) ? Refusal.Busy
            : Refusal.None;
        if (refusal == Refusal.None)
        {
            Send(echo.From, target, new EchoedMessage(echo.Transaction, target).Write(outbox.Buffer));
        }

        return refusal;
    }

    /// <summary>The next datagram to send from another socket than the main one.</summary>
    public bool TryTakeAside(Span<byte> buffer, out ServerSocket from, out NetworkAddress destination, out int length)
    {
        bool isThere = _asides.TryDequeue(out (ServerSocket From, NetworkAddress Destination, byte[] Datagram) next);
        (from, destination, length) = (next.From, next.Destination, next.Datagram?.Length ?? 0);
        next.Datagram?.CopyTo(buffer);
        return isThere;
    }

    private bool HasSocket(ServerSocket socket, NetworkAddress target) => socket switch
    {
        ServerSocket.OtherPort or ServerSocket.OtherAddress when target.IsStream => false, // only the main one has the stream
        ServerSocket.OtherPort => alternates.OtherPort != 0,
        ServerSocket.OtherAddress => alternates.OtherAddress.Family == target.Family,
        _ => true,
    };

    private void Send(ServerSocket from, NetworkAddress destination, int length)
    {
        if (from == ServerSocket.Main)
        {
            outbox.Send(destination, length);
        }
        else if (_asides.Count < MaxAsides)
        {
            _asides.Enqueue((from, destination, outbox.Buffer[..length]));
        }
    }
}
