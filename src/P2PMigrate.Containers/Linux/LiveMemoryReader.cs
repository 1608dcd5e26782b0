using System.Globalization;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Linux;

/// <summary>Reads the memory of all processes that <paramref name="pids"/> lists, anew for each pass, while they run. Whatever cannot be read is passed over.</summary>
// spec: MEM-10, MEM-11, MEM-12
internal sealed class LiveMemoryReader(Func<IReadOnlyList<int>> pids, PresentPages? present = null) : ILiveMemory
{
    private const int ProcessesMax = 16_384;
    private const int MappingsMax = 65_536;
    private const int Nice = 10;

    private readonly PresentPages _present = present ?? new PresentPages();
    private readonly ProcessMemory _memory = new();
    private readonly HashSet<(string, ulong, ulong, ulong)> _shared = [];

    /// <inheritdoc/>
    public void ReadPass(LivePagesHandler found, CancellationToken cancellationToken)
    {
        _ = NativeMemory.SetPriority(0, 0, Nice);
        _shared.Clear();
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
        try
        {
            using SafeFileHandle pagemap = File.OpenHandle(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/pagemap"));
            foreach (MemoryMapping mapping in Mappings(pid))
            {
                _present.Find(pagemap, mapping, (address, length) => _memory.Add(pid, address, length, found, cancellationToken));
                _memory.Flush(pid, found);
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
            return []; // a cgroup below it was just removed; the next pass sees what is left
        }
    }
}
