using System.Globalization;

namespace P2PMigrate.Containers.Linux;

/// <summary>A line of <c>/proc/PID/maps</c>.</summary>
/// <param name="Start">First address.</param>
/// <param name="End">First address behind it.</param>
/// <param name="IsShared">Do stores reach others who map the same?</param>
/// <param name="Offset">Where in what is mapped it begins.</param>
/// <param name="Device">Of what is mapped, as the kernel writes it; <c>00:00</c> for none.</param>
/// <param name="Inode">Of what is mapped, or 0.</param>
/// <param name="Name">A path, a name in brackets, or nothing.</param>
internal readonly record struct MemoryMapping(ulong Start, ulong End, bool IsShared, ulong Offset, string Device, ulong Inode, string Name)
{
    /// <summary>
    /// May a dump hold pages of it? Of private mappings those that were written to, of shared ones those without a file of
    /// the file system; not what the kernel makes for each process.
    /// </summary>
    // spec: MEM-10
    public bool IsDumped => IsShared
        ? Name.StartsWith("/dev/zero", StringComparison.Ordinal) || Name.StartsWith("/SYSV", StringComparison.Ordinal) || Name.StartsWith("/memfd:", StringComparison.Ordinal)
        : !(Name.StartsWith("[v", StringComparison.Ordinal) || Name is "[uprobes]");

    /// <summary>Reads a line; false for one that the kernel does not write, or for addresses that are none of a process.</summary>
    public static bool TryParse(ReadOnlySpan<char> line, out MemoryMapping mapping)
    {
        mapping = default;
        Span<Range> parts = stackalloc Range[7];
        int count = line.Split(parts, ' ', StringSplitOptions.RemoveEmptyEntries);
        if (count < 5)
            return false;
        ReadOnlySpan<char> range = line[parts[0]];
        ReadOnlySpan<char> rights = line[parts[1]];
        int dash = range.IndexOf('-');
        if (dash < 0 || rights.Length != 4
            || !ulong.TryParse(range[..dash], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong start)
            || !ulong.TryParse(range[(dash + 1)..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong end)
            || !ulong.TryParse(line[parts[2]], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong offset)
            || !ulong.TryParse(line[parts[4]], CultureInfo.InvariantCulture, out ulong inode)
            || end <= start)
            return false;
        string name = count > 5 ? line[parts[5]].ToString() : "";
        mapping = new MemoryMapping(start, end, rights[3] == 's', offset, line[parts[3]].ToString(), inode, name);
        return true;
    }
}
