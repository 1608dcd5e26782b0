using System.Runtime.InteropServices;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Linux;

/// <summary>What is at a path of a container's root file system.</summary>
internal readonly record struct FileFacts(ulong Size, uint Mode, uint Links, ulong Inode, ulong Device, uint Group)
{
    private const uint TypeMask = 0xF000, RegularType = 0x8000, DirectoryType = 0x4000;

    /// <summary>Is it a regular file?</summary>
    public bool IsRegular => (Mode & TypeMask) == RegularType;

    /// <summary>Is it the same inode?</summary>
    public bool IsSame(FileFacts other) => (Inode, Device) == (other.Inode, other.Device);

    /// <summary>Is it a directory?</summary>
    public bool IsDirectory => (Mode & TypeMask) == DirectoryType;
}

/// <summary>
/// Looks at paths below a root directory as a process inside would: no symbolic link and no <c>..</c> leads out of it. The paths
/// may come from the peer.
/// </summary>
internal sealed class RootedFile : IDisposable
{
    private const int PathOnly = 0x200000;      // O_PATH
    private const int CloseOnExec = 0x80000;
    private const int NoFollow = 0x20000;
    private const int OpenAt2Number = 437;      // the same on every architecture
    private const ulong ResolveInRoot = 0x10, ResolveNoSymlinks = 0x04;
    private const int EmptyPath = 0x1000;

    private readonly int _root;

    public RootedFile(string root)
    {
        _root = Native.Open(root, PathOnly | CloseOnExec, 0);
        if (_root < 0) throw new ContainerException($"The root file system {root} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    /// <summary>The facts of a path, symbolic links at its end not followed, and nowhere in it unless it <paramref name="followsLinks"/>; null when there is nothing.</summary>
    public FileFacts? Look(string path, bool followsLinks = true)
    {
        var how = new Native.OpenHow { Flags = PathOnly | CloseOnExec | NoFollow, Resolve = followsLinks ? ResolveInRoot : ResolveInRoot | ResolveNoSymlinks };
        var file = (int)Native.OpenAt2(OpenAt2Number, _root, path, in how, (nuint)Marshal.SizeOf<Native.OpenHow>());
        if (file < 0) return null;
        try
        {
            return Native.StatX(file, "", EmptyPath, Native.BasicStats, out Native.StatXResult facts) == 0
                ? new FileFacts(facts.Size, facts.Mode, facts.Links, facts.Inode, ((ulong)facts.DeviceMajor << 32) | facts.DeviceMinor, facts.Group)
                : null;
        }
        finally
        {
            _ = Native.Close(file);
        }
    }

    public void Dispose() => _ = Native.Close(_root);
}
