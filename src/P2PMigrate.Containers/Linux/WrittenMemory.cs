using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// How much memory CRIU would write to disk in a lazy dump: what is shared without a file, and what is locked. It is a guess that counts some of it more than once.
/// </summary>
// spec: MEM-33, CONST-381
internal static class WrittenMemory
{
    /// <summary>Up to this the detour by the disk (by the page cache, mostly) costs less than what it saves.</summary>
    public const long BytesMax = 256L << 20;

    /// <summary>Is it little enough in the processes that <paramref name="pids"/> lists?</summary>
    public static bool IsLittle(IEnumerable<int> pids) => pids.Sum(pid => ProcessTable.StatusBytes(pid, "RssShmem") + ProcessTable.StatusBytes(pid, "VmLck")) <= BytesMax;
}
