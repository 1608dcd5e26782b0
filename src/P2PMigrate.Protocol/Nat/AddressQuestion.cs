using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Nat;

/// <summary>
/// Asks a rendezvous server once how it sees one socket: the same Hello is sent a few times, the first Challenge that belongs to it is the
/// answer. Pure. One owner.
/// </summary>
// spec: PATH-82, RDV-03
public sealed class AddressQuestion(NetworkAddress server, IEntropy entropy)
{
    /// <summary>Bytes that the question takes.</summary>
    public const int Size = RendezvousHeader.RequestSize;

    /// <summary>How often it is asked.</summary>
    // spec: CONST-248
    public const int MaxTries = 4;

    /// <summary>Between two of them.</summary>
    // spec: CONST-248
    public static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    private readonly TransactionId _transaction = TransactionId.Create(entropy);
    private int _tries;

    /// <summary>Whom it asks.</summary>
    public NetworkAddress Server => server;

    /// <summary>When <see cref="Write"/> is due again.</summary>
    public Instant NextAt { get; private set; }

    /// <summary>Writes the question.</summary>
    public int Write(Instant now, Span<byte> buffer)
    {
        NextAt = ++_tries < MaxTries ? now + RetryDelay : Instant.Never;
        return new HelloMessage(_transaction).Write(buffer);
    }

    /// <summary>Is this the answer? Then the address that the server sees.</summary>
    public bool TryTakeAnswer(NetworkAddress from, ReadOnlySpan<byte> datagram, out NetworkAddress observed)
    {
        observed = default;
        bool isAnswer = from == server && ChallengeMessage.TryParse(datagram, out ChallengeMessage challenge, out _) && challenge.Transaction == _transaction
            && (observed = challenge.Observed).IsUsable;
        if (isAnswer)
            NextAt = Instant.Never;
        return isAnswer;
    }
}
