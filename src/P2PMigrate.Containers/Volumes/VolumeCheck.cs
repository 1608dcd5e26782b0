using System.Globalization;
using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Volumes;

/// <summary>What a container sees of its machine, and what that means for its move.</summary>
// spec: MIG-187
internal static class VolumeCheck
{
    private const int FindingsPerKind = 5;

    /// <summary>At the source: what goes along, what does not, and what would miss it.</summary>
    public static IEnumerable<Finding> AtSource(ContainerDescription container, IReadOnlyList<BindMount> mounts)
    {
        string[] along = [.. mounts.Where(mount => mount.GoesAlong).Select(mount => mount.Path).Except(container.Volumes.Where(volume => volume.IsHollow).Select(volume => volume.Path))];
        if (along.Length > 0) yield return new Finding(FindingSeverity.Good, "volume", $"{string.Join(", ", along)} {(along.Length > 1 ? "go" : "goes")} along, in the root file system.");
        BindMount[] expected = [.. mounts.Where(mount => !mount.GoesAlong)];
        using var machine = new RootedFile("/");
        foreach (BindMount mount in expected.Take(FindingsPerKind))
        {
            bool canGo = machine.Look(mount.Source) is { IsDirectory: true } or { IsRegular: true };
            yield return new Finding(
                FindingSeverity.Warning, "volume", $"{mount.Path} is {mount.Source} of this machine and is not copied.",
                $"Provide {mount.Source} with the same content on the target{(canGo ? $", or let it go along: --volume {mount.Path}=copy" : ".")}");
        }

        if (expected.Length > FindingsPerKind) yield return new Finding(FindingSeverity.Warning, "volume", $"The same goes for {string.Join(", ", expected.Skip(FindingsPerKind).Select(mount => mount.Path))}.", "--volumes copy lets all go along that can.");
        foreach (string path in container.Volumes.Where(volume => volume.IsHollow).Select(volume => volume.Path))
        {
            yield return UseOf(container, path) is (var pid, { } file)
                ? new Finding(FindingSeverity.Blocker, "volume", $"Process {pid} ({ProcessTable.Status(pid, "Name") ?? "gone"}) uses {file}, which would be missing: {path} is to be empty at the target.", $"Let it go along: --volume {path}=copy")
                : new Finding(FindingSeverity.Warning, "volume", $"{path} will be empty at the target, as you said.");
        }
    }

    /// <summary>At the target: what must be here.</summary>
    public static IEnumerable<Finding> AtTarget(IReadOnlyList<BindMount> mounts)
    {
        foreach (BindMount mount in mounts.Where(mount => mount.GoesAlong ? mount.Within is null : !Path.IsPathRooted(mount.Source)))
        {
            yield return new Finding(FindingSeverity.Blocker, "volume", $"{mount.Path} of the container is to be {mount.Source}, which is no place here.", "Use the same version of p2pmigrate on both machines.");
        }

        foreach (BindMount mount in mounts.Where(mount => Path.IsPathRooted(mount.Source) && !Path.Exists(mount.Source)))
        {
            yield return new Finding(
                FindingSeverity.Blocker, "volume", $"{mount.Source}, which the container sees as {mount.Path}, does not exist here.",
                $"Make it on the target with the same content, or let it go along: --volume {mount.Path}=copy (=skip: an empty one)");
        }
    }

    /// <summary>A process with something in what the container sees there, or with that itself where it is a file: open, mapped, or where it works.</summary>
    private static (int Pid, string File)? UseOf(ContainerDescription container, string path)
    {
        bool isFile = !Directory.Exists(string.Create(CultureInfo.InvariantCulture, $"/proc/{container.InitPid}/root{path}"));
        return new Cgroup(container.CgroupPath).Pids().SelectMany(UsesOf).Select(use => ((int, string)?)use)
            .FirstOrDefault(use => VolumePlacement.TreeBelow(use!.Value.Item2, path) is { } rest && (isFile || rest.Length > 0));
    }

    private static IEnumerable<(int Pid, string File)> UsesOf(int pid) =>
        from file in (IEnumerable<string?>)[.. OpenFile.Of(pid).Where(file => file.IsPath).Select(file => file.Target), .. ProcessTable.MappedFiles(pid), ProcessTable.LinkOf(pid, "cwd")]
        where file is not null
        select (pid, file);
}
