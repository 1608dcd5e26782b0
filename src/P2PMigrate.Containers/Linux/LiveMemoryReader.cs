using System.Globalization;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// Reads the memory of all processes that <paramref name="pids"/> lists, anew for each pass, while they run. Whatever cannot be read is passed over, and so is
/// whatever does not belong to the container according to <paramref name="belongs"/>: numbers of processes are given again.
/// </summary>
// spec: MEM-10, MEM-11, MEM-12, MEM-14
internal sealed class LiveMemoryReader(Func<IReadOnlyList<int>> pids, Func<int, bool> belongs, PresentPages? present = null) : ILiveMemory
{
    private const int ProcessesMax = 16_384;
    private const int MappingsMax = 65_536;
    private const int Nice = 10;

    private readonly PresentPages _present = present ?? new PresentPages();
    private readonly ProcessMemory _memory = new();
    private readonly HashSet<(string, ulong, ulong, ulong)> _shared = [];
    private readonly ResidentCount _resident = new();

    /// <inheritdoc/>
    public long UnseenBytes => _resident.Unseen;

    /// <inheritdoc/>
    public void ReadPass(LivePagesHandler found, CancellationToken cancellationToken)
    {
        _ = NativeMemory.SetPriority(0, 0, Nice);
        _shared.Clear();
        _resident.Begin();
        foreach (int pid in Pids().Take(ProcessesMax))
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadProcess(pid, found, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void ReadProcess(int pid, LivePagesHandler found, CancellationToken cancellationToken)
    {
        using ProcessHandle? process = ProcessHandle.TryOpen(pid);
        if (process is null || !belongs(pid) || !process.IsSame)
            return;
        _resident.Expect(pid);
        try
        {
            using SafeFileHandle pagemap = File.OpenHandle(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/pagemap"));
            foreach (MemoryMapping mapping in Mappings(pid))
            {
                LivePagesHandler counted = (_, address, pages) =>
                {
                    _resident.See(pages.Length, mapping.IsShared);
                    found(pid, address, pages);
                };
                _present.Find(pagemap, mapping, (address, length) => _memory.Add(process, address, length, counted, cancellationToken));
                _memory.Flush(process, counted);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // it has ended, or is ending
        }
    }

    /// <summary>What several processes share is read once.</summary>
    private List<MemoryMapping> Mappings(int pid)
    {
        var mappings = new List<MemoryMapping>();
        foreach (string line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/maps")).Take(MappingsMax))
        {
            if (MemoryMapping.TryParse(line, out MemoryMapping mapping) && mapping.IsDumped
                && (!mapping.IsShared || _shared.Add((mapping.Device, mapping.Inode, mapping.Offset, mapping.End - mapping.Start))))
                mappings.Add(mapping);
        }

        return mappings;
    }

    private IReadOnlyList<int> Pids()
    {
        try
        {
            return pids();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return []; // the container's own cgroup is gone; nothing is known of its memory
        }
    }
}
