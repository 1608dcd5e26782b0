using System.Globalization;

namespace P2PMigrate.Containers.Linux;

/// <summary>A line of /proc/PID/mountinfo.</summary>
internal sealed record Mount(int Id, string Root, string MountPoint, string FileSystem)
{
    private const int IdColumn = 0;
    private const int RootColumn = 3;
    private const int MountPointColumn = 4;
    private static readonly string[] s_ofNetwork = ["nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "afs", "glusterfs", "fuse.glusterfs", "lustre", "ocfs2", "gfs2"];

    /// <summary>May other machines have the same files?</summary>
    public bool IsOfNetwork => s_ofNetwork.Contains(FileSystem);

    /// <summary>The mounts that a process sees (<c>self</c>: we), in the order in which they were made.</summary>
    public static IReadOnlyList<Mount> Of(string process)
    {
        var mounts = new List<Mount>();
        foreach (string line in File.ReadLines($"/proc/{process}/mountinfo"))
        {
            if (TryParse(line, out Mount? mount)) mounts.Add(mount);
        }

        return mounts;
    }

    /// <summary>Reads a line; false when it has too few columns.</summary>
    public static bool TryParse(string line, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Mount? mount)
    {
        mount = null;
        string[] columns = line.Split(' ');
        int dash = Array.IndexOf(columns, "-");
        if (dash <= MountPointColumn || dash + 1 >= columns.Length) return false;
        if (!int.TryParse(columns[IdColumn], CultureInfo.InvariantCulture, out int id)) return false;
        mount = new Mount(id, Unescape(columns[RootColumn]), Unescape(columns[MountPointColumn]), columns[dash + 1]);
        return true;
    }

    /// <summary>Blanks and backslashes are written as three octal digits.</summary>
    public static string Unescape(string text) => !text.Contains('\\', StringComparison.Ordinal) ? text : text
        .Replace(@"\040", " ", StringComparison.Ordinal).Replace(@"\011", "\t", StringComparison.Ordinal)
        .Replace(@"\012", "\n", StringComparison.Ordinal).Replace(@"\134", @"\", StringComparison.Ordinal);

    /// <summary>The other way round.</summary>
    public static string Escape(string text) => text
        .Replace(@"\", @"\134", StringComparison.Ordinal).Replace(" ", @"\040", StringComparison.Ordinal)
        .Replace("\t", @"\011", StringComparison.Ordinal).Replace("\n", @"\012", StringComparison.Ordinal);
}
