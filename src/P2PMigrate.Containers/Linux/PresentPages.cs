using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// Which pages of a process are in memory and would be dumped: by one <c>PAGEMAP_SCAN</c> for many pages (Linux 6.7 and later), else by
/// looking each of them up. Whatever goes wrong means: none.
/// </summary>
// spec: MEM-10
internal sealed class PresentPages
{
    /// <summary>Bytes of a mapping that are looked up page by page.</summary>
    public const ulong LookUpMax = 2UL << 30;

    private const int RegionsMax = 512;
    private const int EntriesMax = 4096;
    private const ulong PageSize = 4096;
    private const ulong EntryPresent = 1UL << 63, EntryIsFile = 1UL << 61;
    private const int NotTypewriter = 25, InvalidArgument = 22;

    private readonly NativeMemory.PageRegion[] _regions = GC.AllocateArray<NativeMemory.PageRegion>(RegionsMax, pinned: true);
    private readonly ulong[] _entries = new ulong[EntriesMax];
    private bool _isScanUnknown;

    /// <summary>A reader; without <paramref name="useScan"/> as if the kernel were older.</summary>
    public PresentPages(bool useScan = true) => _isScanUnknown = !useScan;

    /// <summary>Calls <paramref name="found"/> with the address and the length in bytes of each run, in order.</summary>
    public void Find(SafeFileHandle pagemap, in MemoryMapping mapping, Action<ulong, ulong> found)
    {
        ulong from = _isScanUnknown ? mapping.Start : Scan(pagemap, mapping, found);
        if (_isScanUnknown)
            LookUp(pagemap, mapping with { Start = from }, found);
    }

    /// <summary>Returns how far it got.</summary>
    private unsafe ulong Scan(SafeFileHandle pagemap, in MemoryMapping mapping, Action<ulong, ulong> found)
    {
        ulong notThese = NativeMemory.PageIsZeroFrame | (mapping.IsShared ? 0 : NativeMemory.PageIsFile);
        ulong address = mapping.Start;
        while (address < mapping.End)
        {
            var arguments = new NativeMemory.ScanArguments
            {
                Size = (ulong)sizeof(NativeMemory.ScanArguments),
                Start = address,
                End = mapping.End,
                Regions = (ulong)(nint)Marshal.UnsafeAddrOfPinnedArrayElement(_regions, 0),
                RegionsLength = RegionsMax,
                CategoryInverted = notThese,
                CategoryMask = notThese | NativeMemory.PageIsPresent,
                ReturnMask = NativeMemory.PageIsPresent,
            };
            int count = NativeMemory.ScanPagemap(pagemap, NativeMemory.PagemapScan, ref arguments);
            if (count < 0)
            {
                _isScanUnknown = Marshal.GetLastPInvokeError() is NotTypewriter or InvalidArgument;
                return address;
            }

            foreach (NativeMemory.PageRegion region in _regions.AsSpan(0, count))
                found(region.Start, region.End - region.Start);
            if (arguments.WalkEnd <= address)
                return address;
            address = arguments.WalkEnd;
        }

        return address;
    }

    private void LookUp(SafeFileHandle pagemap, in MemoryMapping mapping, Action<ulong, ulong> found)
    {
        ulong end = Math.Min(mapping.End, mapping.Start + LookUpMax), runStart = 0, runLength = 0;
        for (ulong address = mapping.Start; address < end;)
        {
            int wanted = (int)Math.Min(EntriesMax, (end - address) / PageSize);
            int read = Read(pagemap, address, wanted);
            if (read == 0)
                break;
            foreach (ulong entry in _entries.AsSpan(0, read))
            {
                bool isThere = (entry & EntryPresent) != 0 && (mapping.IsShared || (entry & EntryIsFile) == 0);
                if (isThere && runLength == 0)
                    runStart = address;
                if (!isThere && runLength > 0)
                    found(runStart, runLength);
                runLength = isThere ? runLength + PageSize : 0;
                address += PageSize;
            }
        }

        if (runLength > 0)
            found(runStart, runLength);
    }

    private int Read(SafeFileHandle pagemap, ulong address, int entries)
    {
        try
        {
            return RandomAccess.Read(pagemap, MemoryMarshal.AsBytes(_entries.AsSpan(0, entries)), (long)(address / PageSize * sizeof(ulong))) / sizeof(ulong);
        }
        catch (IOException)
        {
            return 0; // the process is gone
        }
    }
}
