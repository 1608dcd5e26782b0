using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// How much memory the kernel counts in a container's processes, and how much of it a pass found. Private memory is counted for each process, as a
/// dump holds it; of shared memory at least as much as one process has.
/// </summary>
// spec: MIG-83
internal sealed class ResidentCount
{
    private long _private;
    private long _shared;
    private long _privateSeen;
    private long _sharedSeen;

    /// <summary>What was not found, in bytes.</summary>
    public long Unseen => Math.Max(0, _private - _privateSeen) + Math.Max(0, _shared - _sharedSeen);

    /// <summary>A pass begins.</summary>
    public void Begin() => (_private, _shared, _privateSeen, _sharedSeen) = (0, 0, 0, 0);

    /// <summary>A process is about to be read.</summary>
    public void Expect(int pid)
    {
        _private += ProcessTable.StatusBytes(pid, "RssAnon") + ProcessTable.StatusBytes(pid, "VmSwap");
        _shared = Math.Max(_shared, ProcessTable.StatusBytes(pid, "RssShmem"));
    }

    /// <summary>So much was found.</summary>
    public void See(long bytes, bool isShared)
    {
        if (isShared)
            _sharedSeen += bytes;
        else
            _privateSeen += bytes;
    }
}
