namespace P2PMigrate.Migration;

/// <summary>What the source's user chose for one job.</summary>
public sealed record SendOptions
{
    /// <summary>The target's peer id, authenticated by the session: for the journal, for messages, and to keep what is sent where it is found when it comes back.</summary>
    public required string PeerName { get; init; }

    /// <summary>How the target is met again, to ask what became of the job; null when it cannot be.</summary>
    public PeerContact? Target { get; init; }

    /// <summary>How memory is copied, and when the live rounds end.</summary>
    public CopyOptions Copy { get; init; } = new();

    /// <summary>The job's id.</summary>
    public JobId JobId { get; init; } = JobId.Create();
}
