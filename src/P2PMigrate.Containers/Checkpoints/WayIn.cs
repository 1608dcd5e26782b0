using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>What must be open to a container whose users are mapped: for this machine they are strangers, and a restore goes on as one of them.</summary>
// spec: MIG-189
internal static class WayIn
{
    private const UnixFileMode Strangers = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
    private const int OwnLevelsAboveBundle = 2; // the directory of all bundles, and that of all our data

    /// <summary>The first directory above this one that others may not pass, or null.</summary>
    public static string? ClosedAbove(string directory)
    {
        for (DirectoryInfo? above = Directory.GetParent(directory); above is not null; above = above.Parent)
        {
            if (above.Exists && (above.UnixFileMode & UnixFileMode.OtherExecute) == 0) return above.FullName;
        }

        return null;
    }

    /// <summary>
    /// Lets those pass to the root file system whose group owns that; our directories above the bundle let everybody pass, without seeing what is in them. What else is in the bundle stays its owner's. Throws <see cref="ContainerException"/> when
    /// directories above ours are closed.
    /// </summary>
    public static void ToFiles(string rootPath)
    {
        var bundle = new DirectoryInfo(Path.GetDirectoryName(rootPath)!);
        using (var root = new RootedFile(rootPath))
        {
            if (root.Look(".") is not { Group: var group } || Native.ChangeOwner(bundle.FullName, Native.Unchanged, group) != 0) throw new ContainerException($"{bundle.FullName} cannot be opened for the container's mapped users.");
        }

        foreach (FileInfo file in bundle.EnumerateFiles()) file.UnixFileMode &= ~Strangers;
        bundle.UnixFileMode = (bundle.UnixFileMode & ~Strangers) | UnixFileMode.GroupExecute;
        DirectoryInfo above = bundle;
        for (int level = 0; level < OwnLevelsAboveBundle && above.Parent is { } own; level++, above = own) own.UnixFileMode |= UnixFileMode.OtherExecute;
        if (ClosedAbove(above.FullName) is { } closed) throw new ContainerException($"The container's users are mapped, and cannot get to its root file system: only its owner may enter {closed}. Type: chmod o+x {closed}");
    }

    /// <summary>Lets CRIU go on reading images when it has become one of them. It has their directory open; nobody else gets there, for the directories above stay closed.</summary>
    public static void ToImages(string imageDirectory)
    {
        var images = new DirectoryInfo(imageDirectory);
        foreach (DirectoryInfo directory in images.EnumerateDirectories().Where(inside => inside.LinkTarget is null).Prepend(images)) // see ParentImages
        {
            directory.UnixFileMode |= UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
            foreach (FileInfo image in directory.EnumerateFiles()) image.UnixFileMode |= UnixFileMode.OtherRead;
        }
    }
}
