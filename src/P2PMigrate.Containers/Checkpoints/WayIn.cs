using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>What must be open to a container whose users are mapped: for this machine they are strangers, and a restore goes on as one of them.</summary>
// spec: MIG-189
internal static class WayIn
{
    private const int OwnLevels = 3; // the bundle, the directory of all bundles, and that of all our data

    /// <summary>Lets everybody pass through our own directories, without seeing what is in them. Throws <see cref="ContainerException"/> when others above are closed.</summary>
    public static void ToFiles(string rootPath)
    {
        int level = 0;
        for (DirectoryInfo? directory = Directory.GetParent(rootPath); directory is not null; directory = directory.Parent, level++)
        {
            if ((directory.UnixFileMode & UnixFileMode.OtherExecute) != 0) continue;
            if (level >= OwnLevels)
                throw new ContainerException($"The container's users are mapped, and cannot get to its root file system: only its owner may enter {directory.FullName}. Type: chmod o+x {directory.FullName}");
            directory.UnixFileMode |= UnixFileMode.OtherExecute;
        }
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
