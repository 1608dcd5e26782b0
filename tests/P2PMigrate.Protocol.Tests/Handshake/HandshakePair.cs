using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Handshake;

/// <summary>A responder with one open ticket and the means to make initiators for it, under a clock that the test moves.</summary>
internal sealed class HandshakePair : IDisposable
{
    public const long StartUnixSeconds = 1_800_000_000;

    private readonly List<IDisposable> _disposables = [];
    private readonly byte[] _reply = new byte[HandshakeResponder.MaxReplySize];
    private long _timestamp = StartUnixSeconds * 1_000_000_000;

    public HandshakePair(int seed = 1, Func<HandshakeResponderOptions, HandshakeResponderOptions>? configure = null)
    {
        Entropy = new SeededEntropy(seed);
        ResponderIdentity = Own(PrivateIdentity.Create(Entropy));
        InitiatorIdentity = Own(PrivateIdentity.Create(Entropy));
        Ticket = Issue(ResponderIdentity.Public);
        Book.Add(Ticket, UnixSeconds);
        var options = new HandshakeResponderOptions { Identity = ResponderIdentity, Tickets = Book };
        Responder = Own(new HandshakeResponder(configure?.Invoke(options) ?? options, Entropy)
        {
            Candidates = [new Candidate(CandidateKind.Host, Address("10.0.0.2:2"))],
        });
    }

    public SeededEntropy Entropy { get; }

    public PrivateIdentity ResponderIdentity { get; }

    public PrivateIdentity InitiatorIdentity { get; }

    public TicketBook Book { get; } = new();

    public Ticket Ticket { get; }

    public HandshakeResponder Responder { get; }

    public Instant Now { get; set; } = new(1_000_000_000);

    public long UnixSeconds { get; set; } = StartUnixSeconds;

    public NetworkAddress Source { get; set; } = Address("192.0.2.7:4000");

    public static NetworkAddress Address(string text) => NetworkAddress.TryParse(text, out NetworkAddress address) ? address : throw new ArgumentException(text);

    public Ticket Issue(PublicIdentity responder) => new()
    {
        Responder = responder,
        Rendezvous = new ServerName("rendezvous.example", 3478),
        Hints = [Address("10.0.0.2:2")],
        Secret = TicketSecret.Create(Entropy),
        ExpiresAtUnixSeconds = StartUnixSeconds + 3600,
    };

    public HandshakeInitiator Initiate(Func<HandshakeInitiatorOptions, HandshakeInitiatorOptions>? configure = null, IEntropy? entropy = null)
    {
        var options = new HandshakeInitiatorOptions
        {
            Identity = InitiatorIdentity,
            Ticket = Ticket,
            TimestampUnixNanoseconds = ++_timestamp,
            Candidates = [new Candidate(CandidateKind.Host, Address("10.0.0.1:1")), new Candidate(CandidateKind.Reflexive, Address("[2001:db8::1]:1"))],
        };
        return Own(new HandshakeInitiator(Now, configure?.Invoke(options) ?? options, entropy ?? Entropy));
    }

    public HandshakeAnswer Answer(ReadOnlySpan<byte> init, out byte[] reply)
    {
        HandshakeAnswer answer = Responder.Handle(Now, UnixSeconds, Source, init, _reply);
        reply = _reply[..answer.ReplyLength];
        if (answer.Session is not null)
        {
            Own(answer.Session);
        }

        return answer;
    }

    /// <summary>Runs a whole handshake without loss.</summary>
    public bool TryConnect(HandshakeInitiator initiator, [NotNullWhen(true)] out EstablishedSession? atInitiator, [NotNullWhen(true)] out EstablishedSession? atResponder)
    {
        atInitiator = null;
        HandshakeAnswer answer = Answer(Poll(initiator), out byte[] reply);
        atResponder = answer.Session;
        if (atResponder is null || !initiator.TryHandle(Now, reply, out _))
        {
            return false;
        }

        atInitiator = Own(initiator.TakeSession());
        return true;
    }

    public static byte[] Poll(HandshakeInitiator initiator)
    {
        byte[] buffer = new byte[2048];
        Assert.True(initiator.TryPollTransmit(buffer, out int length));
        return buffer[..length];
    }

    public void Dispose() => _disposables.ForEach(disposable => disposable.Dispose());

    private T Own<T>(T disposable)
        where T : IDisposable
    {
        _disposables.Add(disposable);
        return disposable;
    }
}
