using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Migration;

/// <summary>What the target's agent decides for one session.</summary>
public sealed record ReceiveOptions
{
    /// <summary>The source's peer id, authenticated by the session: for the journal, for messages, and to find what travelled between it and this machine before.</summary>
    public required string PeerName { get; init; }

    /// <summary>The source's key, by which it may ask later what became of the job (<see cref="TargetRunner.Askers"/>); null when nobody can.</summary>
    public PublicIdentity? PeerKey { get; init; }

    /// <summary>
    /// Called once, after every check has passed and before the job is accepted: spends the session's ticket. Returns null, or
    /// the sentence with which the job is refused. After null the ticket is spent whatever becomes of the job.
    /// </summary>
    public required Func<CancellationToken, ValueTask<string?>> AdmitAsync { get; init; }

    /// <summary>
    /// Called once, on any thread, when the container runs here and nothing of the job is left: all that is waited for is that the source has heard it. The outcome is the one
    /// that the call will return.
    /// </summary>
    public Action<ReceiveOutcome>? Arrived { get; init; }
}
