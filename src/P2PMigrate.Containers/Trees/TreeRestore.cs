using Microsoft.Extensions.Logging;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Trees;

/// <summary>
/// One <c>criu restore</c>, begun in the cgroup that the tree shall have, which its processes inherit; the hook takes CRIU out of it again. Their numbers are those that they had.
/// </summary>
internal sealed class TreeRestore(TreeTool tool, ILogger logger, RestoreRequest request) : HeldRestore(tool, logger, request)
{
    private const string EnterScript = """echo $$ > "$1/cgroup.procs" && shift && exec "$@" """;

    /// <inheritdoc/>
    protected override async Task<(RestoreRecord Record, bool RaisesLoopback)> BeginAsync(CancellationToken cancellationToken)
    {
        await RequireFreeNameAsync(cancellationToken).ConfigureAwait(false);
        var earlier = new Cgroup(TreeCgroup.PlaceFor(Name));
        earlier.Remove();
        if (earlier.Exists) throw new ContainerException($"What is left of an earlier {Name} still runs here; look at {earlier.Path}/cgroup.procs.");
        return (NewRecord([earlier.Path], links: [], networkNamespacePath: null), RaisesLoopback: false);
    }

    /// <inheritdoc/>
    protected override Task<(RestoreRecord Record, DetachedProcess Process)> StartAsync(RestoreRecord record, CancellationToken cancellationToken)
    {
        string cgroup = record.Cgroups[0];
        TreeCgroup.Make(cgroup, Request.BundlePath);
        DetachedProcess process = DetachedProcess.Start(
            Request.WorkDirectory,
            [
                "/bin/sh", "-c", EnterScript, "sh", cgroup, Tool.PathOf(tool.Criu), "restore", "--restore-detached", "--images-dir", Request.ImageDirectory, "--work-dir", Request.WorkDirectory, "--log-file", "restore.log", "-v4",
                // spec: MIG-198
                File.Exists(Path.Combine(Request.ImageDirectory, DumpMarks.ConnectionsEnd)) ? "--tcp-close" : "--tcp-established", "--file-locks", "--link-remap", "--manage-cgroups=ignore",
            ],
            new Dictionary<string, string> { [CriuConfiguration.Variable] = CriuConfigurationPath },
            piped: false);
        return Task.FromResult((record, process));
    }

    /// <inheritdoc/>
    protected override async Task RequireFreeNameAsync(CancellationToken cancellationToken)
    {
        if (await tool.FindAsync(Name, cancellationToken).ConfigureAwait(false) is { } taken) throw new ContainerException(TreeCheck.TakenNumber(taken.Pid));
        if (TreeConfiguration.Parse(Request.Container.Configuration.Span)?.Pids.FirstOrDefault(pid => ProcessIdentity.Of(pid) is not null) is > 0 and var other) throw new ContainerException(TreeCheck.TakenNumber(other));
    }
}
