using System.Globalization;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Checks;

/// <summary>A descriptor of a process, as /proc shows it.</summary>
/// <param name="Pid">The process, in our numbers.</param>
/// <param name="Descriptor">Its number there.</param>
/// <param name="Target">What it leads to: a path, or a kind and number such as <c>socket:[123]</c>.</param>
/// <param name="MountId">The mount of the path; meaningless for what has none.</param>
/// <param name="CanWrite">Is it open for writing?</param>
internal sealed record OpenFile(int Pid, int Descriptor, string Target, int MountId, bool CanWrite = false)
{
    private const int DescriptorsMax = 1 << 20;
    private const int AccessMode = 3; // of the octal flags' last digit; zero is reading only
    private const string DeletedSuffix = " (deleted)";

    /// <summary>Does it name a place in a file system (and not a pipe, a socket, a memfd)?</summary>
    public bool IsPath => Target.StartsWith('/') && !Target.StartsWith("/memfd:", StringComparison.Ordinal);

    /// <summary>May it be set to wake its holder at a cgroup's or the machine's stalls? Whoever only reads them has not written to it.</summary>
    public bool IsPressure => IsPath && CanWrite && (Target.StartsWith("/proc/pressure/", StringComparison.Ordinal) || (Target.StartsWith("/sys/fs/cgroup/", StringComparison.Ordinal) && Target.EndsWith(".pressure", StringComparison.Ordinal)));

    /// <summary>Was its name removed?</summary>
    public bool IsDeleted => IsPath && Target.EndsWith(DeletedSuffix, StringComparison.Ordinal);

    /// <summary>The socket's number, or null when it is none.</summary>
    public ulong? SocketInode => SocketOf(Target);

    /// <summary>The number in what a descriptor leads to, or null when that is no socket.</summary>
    public static ulong? SocketOf(string target) =>
        target.StartsWith("socket:[", StringComparison.Ordinal) && ulong.TryParse(target.AsSpan(8, target.Length - 9), CultureInfo.InvariantCulture, out ulong inode) ? inode : null;

    /// <summary>Bytes of the file behind the descriptor; zero when it is gone.</summary>
    public long Length()
    {
        try
        {
            using var file = new FileStream(string.Create(CultureInfo.InvariantCulture, $"/proc/{Pid}/fd/{Descriptor}"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return file.Length;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return 0;
        }
    }

    /// <summary>Is there a lock on it that was taken by this descriptor?</summary>
    public bool HasLock()
    {
        try
        {
            return File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{Pid}/fdinfo/{Descriptor}")).Any(line => line.StartsWith("lock:", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return false; // closed meanwhile
        }
    }

    /// <summary>All descriptors of a process; those that close meanwhile are left out.</summary>
    public static IEnumerable<OpenFile> Of(int pid)
    {
        foreach ((int descriptor, string target) in ProcessTable.Descriptors(pid).Take(DescriptorsMax))
        {
            if (TryRead(pid, descriptor, target) is { } file) yield return file;
        }
    }

    private static OpenFile? TryRead(int pid, int descriptor, string target)
    {
        try
        {
            string? mount = null, flags = null;
            foreach (string line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/fdinfo/{descriptor}")))
            {
                if (line.StartsWith("flags:", StringComparison.Ordinal)) flags = line[6..].Trim();
                if (line.StartsWith("mnt_id:", StringComparison.Ordinal)) mount = line[7..];
                if (mount is not null && flags is not null) break;
            }

            return mount is null ? null
                : new OpenFile(pid, descriptor, target, int.Parse(mount, CultureInfo.InvariantCulture), flags is { Length: > 0 } && (flags[^1] & AccessMode) != 0);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
