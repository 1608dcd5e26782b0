using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Nat;

/// <summary>A survey behind a NAT, and the server with its mirrors in front of it; a datagram takes half a round trip of 20 ms.</summary>
internal sealed class SurveyWorld : IDisposable
{
    public static readonly TimeSpan HalfRoundTrip = TimeSpan.FromMilliseconds(10);
    public static readonly NetworkAddress Server = NetworkAddress.FromBytes([198, 51, 100, 1], 3478);
    public static readonly NetworkAddress OtherPort = Server.WithPort(3479);
    public static readonly NetworkAddress OtherAddress = NetworkAddress.FromBytes([198, 51, 100, 2], 3480);
    private static readonly ushort[] s_ports = [5000, 5101, 5207, 5302, 5444];

    private readonly VirtualNat _nat;
    private readonly RendezvousServerCore _server;
    private readonly List<(Instant At, NetworkAddress From, NetworkAddress To, byte[] Datagram)> _travelling = [];
    private readonly byte[] _buffer = new byte[2048];

    public SurveyWorld(VirtualNat nat, ServerAlternates? alternates = null, int sockets = 5, int seed = 1)
    {
        _nat = nat;
        ServerAlternates others = alternates ?? new ServerAlternates(OtherPort.Port, OtherAddress);
        _server = new RendezvousServerCore(new RendezvousServerOptions(), new SeededEntropy(seed), others);
        Begun = Now;
        Survey = new NatSurvey(Now, new NatSurveyOptions { Server = Server, Alternates = others, LocalPorts = s_ports[..sockets] }, new SeededEntropy(seed + 1));
    }

    public Instant Now { get; private set; } = new(1_000_000_000);

    public Instant Begun { get; }

    public NatSurvey Survey { get; }

    public int Sent { get; private set; }

    /// <summary>Does the datagram arrive that is the n-th of its way?</summary>
    public Func<int, bool> Arrives { get; set; } = _ => true;

    /// <summary>What a hostile network makes of a datagram to the survey.</summary>
    public Func<byte[], byte[]> Alter { get; set; } = datagram => datagram;

    /// <summary>When mapping and allocation were known.</summary>
    public Instant? KnownAt { get; private set; }

    public NatReport Run()
    {
        for (int turn = 0; !Survey.IsOver; turn++)
        {
            Assert.True(turn < 2_000, "The survey does not end.");
            SendAll();
            Now = _travelling.Aggregate(Survey.NextTimeout, (next, datagram) => Instant.Min(next, datagram.At));
            Assert.True(Now < Instant.Never, "Nothing will ever happen again, and the survey is not over.");
            foreach ((Instant at, NetworkAddress from, NetworkAddress to, byte[] datagram) in _travelling.Where(datagram => datagram.At <= Now).ToArray())
            {
                _travelling.Remove((at, from, to, datagram));
                Arrive(from, to, datagram);
            }

            Survey.HandleTimeout(Now);
            if (KnownAt is null && Survey.Report.Profile is { Mapping: not NatMapping.Unknown, Allocation: not PortAllocation.Unknown })
                KnownAt = Now;
        }

        return Survey.Report;
    }

    public void Dispose() => _server.Dispose();

    private void SendAll()
    {
        while (Survey.TryPollTransmit(_buffer, out SurveyTransmit transmit))
        {
            NetworkAddress from = _nat.Out(s_ports[transmit.Socket], transmit.Destination);
            if (Arrives(Sent++))
                Travel(from, transmit.Destination, _buffer[..transmit.Length]);
        }
    }

    private void Travel(NetworkAddress from, NetworkAddress to, byte[] datagram) => _travelling.Add((Now + HalfRoundTrip, from, to, datagram));

    private void Arrive(NetworkAddress from, NetworkAddress to, byte[] datagram)
    {
        if (to == Server)
            AskServer(from, datagram);
        else if (to == OtherPort || to == OtherAddress)
            AskMirror(from, to, datagram);
        else if (_nat.TryIn(from, to.Port, out ushort inside))
            Survey.TryHandle(Now, Array.IndexOf(s_ports, inside), from, Alter(datagram));
    }

    private void AskServer(NetworkAddress from, byte[] datagram)
    {
        _server.Handle(Now, from, datagram);
        while (_server.TryPollTransmit(_buffer, out NetworkAddress destination, out int length))
            Travel(Server, destination, _buffer[..length]);
        while (_server.TryPollAside(_buffer, out ServerSocket socket, out NetworkAddress destination, out int length))
            Travel(socket == ServerSocket.OtherPort ? OtherPort : OtherAddress, destination, _buffer[..length]);
    }

    private void AskMirror(NetworkAddress from, NetworkAddress mirror, byte[] datagram)
    {
        if (RendezvousMirror.TryAnswer(from, datagram, _buffer, out int length, out _))
            Travel(mirror, from, _buffer[..length]);
    }
}
