namespace P2PMigrate.Migration;

/// <summary>What the source's user chose for one job.</summary>
public sealed record SendOptions
{
    /// <summary>The target's peer id, for the journal and for messages.</summary>
    public required string PeerName { get; init; }

    /// <summary>How memory is copied, and when the live rounds end.</summary>
    public CopyOptions Copy { get; init; } = new();

    /// <summary>The job's id.</summary>
    public JobId JobId { get; init; } = JobId.Create();
}
