using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Tests.Machines;

namespace P2PMigrate.Migration.Tests.Handover;

/// <summary>One attempt to move one container, and what the world knows of it that no program does.</summary>
internal sealed class HandoverJob(JobId id, string container, string source, string target)
{
    public JobId Id => id;

    public string Container => container;

    public string Source => source;

    public string Target => target;

    public Propose Proposal { get; } = Proposals.Any with
    {
        JobId = id,
        Name = ContainerName.TryParse(container, out ContainerName name) ? name : throw new ArgumentException("no name", nameof(container)),
        Container = Proposals.Any.Container with { Name = container },
    };

    /// <summary>Does its dump leave memory in the frozen copy?</summary>
    public bool IsLate { get; init; }

    /// <summary>How often its source has asked.</summary>
    public int Asked { get; set; }

    /// <summary>The counter in the dump.</summary>
    public long Image { get; set; }

    /// <summary>Has the source begun to write COMMITTED?</summary>
    public bool IsCommitTried { get; set; }

    /// <summary>Has the target begun to write Releasing?</summary>
    public bool IsReleaseTried { get; set; }

    public override string ToString() => $"job {id.Value:x} ({container}, {source} to {target})";
}
