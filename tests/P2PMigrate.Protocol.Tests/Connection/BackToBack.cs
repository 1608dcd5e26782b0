using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Connection;

/// <summary>Two connections with real keys and nothing between them but a buffer; a step takes a millisecond.</summary>
internal sealed class BackToBack : IDisposable
{
    /// <summary>Bytes that the buffers of a pair take, which are no session's.</summary>
    public const int OwnMemory = 2 * (64 << 10);

    private readonly byte[] _data = new byte[64 << 10];
    private readonly ProtectionSuite _suite;
    private readonly byte[] _train = new byte[64 << 10];

    public BackToBack(PathKind kind = PathKind.Direct, Func<TunnelConnectionOptions, TunnelConnectionOptions>? change = null,
        ProtectionSuite suite = ProtectionSuite.ChaCha20Poly1305)
    {
        _suite = suite;
        Path = new(new LocalInterface(kind, 0), NetworkAddress.FromBytes([192, 0, 2, 1], 1000));
        Sender = Create(ConnectionRole.Initiator, change);
        Receiver = Create(ConnectionRole.Responder, change);
    }

    public PathAddress Path { get; }

    public TunnelConnection Sender { get; }

    public TunnelConnection Receiver { get; }

    public Instant Now { get; set; } = new(1_000_000_000);

    /// <summary>Datagrams that may leave together.</summary>
    public int MaxDatagrams { get; set; } = 1;

    /// <summary>Do the datagrams of a train come together?</summary>
    public bool DeliversTrains { get; set; }

    /// <summary>Which of the sender's trains arrive.</summary>
    public Func<Transmit, bool> Arrives { get; set; } = _ => true;

    /// <summary>Every train that the sender sent since the test cleared it, if the test wants them.</summary>
    public List<Transmit>? Sent { get; set; }

    public StreamId OpenBulk()
    {
        Assert.True(Sender.TryOpenStream(StreamClass.Bulk, out StreamId id));
        return id;
    }

    /// <summary>Moves <paramref name="length"/> bytes of a stream from the sender's application to the receiver's.</summary>
    public void Transfer(StreamId id, long length)
    {
        long written = 0, read = 0;
        while (read < length)
        {
            written += Sender.Write(id, _data.AsSpan(0, (int)Math.Min(_data.Length, length - written))).Count;
            read += Step(id);
        }
    }

    /// <summary>Moves <paramref name="length"/> bytes to the receiver, whose application reads none of them.</summary>
    public void Fill(StreamId id, long length)
    {
        long written = 0;
        while (written < length || Sender.Statistics.BytesInFlight > 0)
        {
            written += Sender.Write(id, _data.AsSpan(0, (int)Math.Min(_data.Length, length - written))).Count;
            Exchange();
        }
    }

    /// <summary>Whatever both have to say, once in each direction; returns what the receiver's application read.</summary>
    public long Step(StreamId id)
    {
        Carry(Sender, Receiver, isForward: true);
        int read = Receiver.Read(id, _data).Count;
        Exchange();
        return read;
    }

    /// <summary>Lets time pass in which the applications want nothing.</summary>
    public void Idle(TimeSpan time)
    {
        for (Instant end = Now + time; Now < end;)
            Exchange(TimeSpan.FromMilliseconds(100));
    }

    private void Exchange(TimeSpan? step = null)
    {
        Carry(Sender, Receiver, isForward: true);
        Discard(Receiver);
        Now += step ?? TimeSpan.FromMilliseconds(1);
        Carry(Receiver, Sender, isForward: false);
        Discard(Sender);
        Sender.HandleTimeout(Now);
        Receiver.HandleTimeout(Now);
    }

    public void Dispose()
    {
        Sender.Dispose();
        Receiver.Dispose();
    }

    private static void Discard(TunnelConnection connection)
    {
        while (connection.TryPollEvent(out _))
        {
        }
    }

    private void Carry(TunnelConnection from, TunnelConnection to, bool isForward)
    {
        int headroom = Path.Kind == PathKind.Relay ? _headroom : 0;
        while (from.TryPollTransmit(Now, _train, MaxDatagrams, out Transmit transmit))
        {
            if (isForward)
                Sent?.Add(transmit);
            if (isForward && !Arrives(transmit))
                continue;
            if (DeliversTrains)
            {
                to.HandleTrain(Now, Path, _train.AsSpan(0, transmit.Length), transmit.DatagramSize);
                continue;
            }

            for (int start = 0; start < transmit.Length; start += transmit.DatagramSize)
                to.HandleDatagram(Now, Path, _train.AsSpan(start..Math.Min(start + transmit.DatagramSize, transmit.Length))[headroom..]);
        }
    }

    private int _headroom;

    private TunnelConnection Create(ConnectionRole role, Func<TunnelConnectionOptions, TunnelConnectionOptions>? change)
    {
        byte[][] secrets = [[.. Enumerable.Repeat((byte)1, KeySchedule.SecretSize)], [.. Enumerable.Repeat((byte)2, KeySchedule.SecretSize)]];
        var options = new TunnelConnectionOptions
        {
            Paths = new PathOptions { MinDatagramSize = 1200, MaxDatagramSize = 1200 }, // One size from the start.
            Role = role,
            Keys = new KeySchedule(_suite, secrets[(int)role], secrets[1 - (int)role]),
            LocalConnectionId = new((ulong)role + 1),
            RemoteConnectionId = new(2 - (ulong)role),
            Entropy = new SeededEntropy((int)role),
            KnownPaths = [new(Path, IsRemoteProven: true)],
        };
        options = change?.Invoke(options) ?? options;
        _headroom = options.RelayHeadroom;
        return new(options, Now);
    }
}
