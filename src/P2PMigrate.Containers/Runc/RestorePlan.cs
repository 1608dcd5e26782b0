using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Runc;

/// <summary>What a restore needs to know of this machine, asked before the source freezes. Lives in the work directory; without it the restore asks by itself.</summary>
/// <param name="Links">The outer ends of the prepared network namespace's links.</param>
internal sealed record RestorePlan(IReadOnlyList<BridgeLink> Links);
