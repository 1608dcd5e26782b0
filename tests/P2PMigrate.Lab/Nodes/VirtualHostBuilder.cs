using System.Diagnostics;

namespace P2PMigrate.Lab;

/// <summary>Raises one virtual host inside a lab's scope.</summary>
internal sealed class VirtualHostBuilder(LabScope scope, RootfsImage image)
{
    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(30);

    /// <summary>The node's cgroups and network namespace exist already; this gives it a root, processes and a container bridge.</summary>
    public async Task<VirtualHost> BootAsync(string name, IReadOnlyList<BindMount> binds, CancellationToken cancellationToken)
    {
        scope.CgroupsOf(name).Create();
        string work = scope.WorkOf(name);
        foreach (string directory in (string[])["root", "upper", "overlay", "plain"]) Directory.CreateDirectory(Path.Combine(work, directory));

        ProcessIdentity init = await StartInitAsync(name, work, binds, cancellationToken).ConfigureAwait(false);
        scope.RecordHost(name, init);
        var host = new VirtualHost(scope, name, init);
        host.SetNetworkSetting("net/ipv4/ip_forward", "1");
        await ContainerBridge.CreateAsync(host, cancellationToken).ConfigureAwait(false);
        return host;
    }

    private async Task<ProcessIdentity> StartInitAsync(string name, string work, IReadOnlyList<BindMount> binds, CancellationToken cancellationToken)
    {
        string[] command = InitCommand(name, work, binds);
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Not disposed of: it is the parent of the host's first process and lives as long as the host.
        Process unshare = Tool.Launch(start);
        string? said = await FirstLineAsync(unshare, cancellationToken).ConfigureAwait(false);
        if (said != "ready")
        {
            string reason = await unshare.StandardError.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            throw new LabException($"virtual host {name} did not come up: {reason.Trim()}");
        }

        return ProcessIdentity.Of(ProcessTree.ChildrenOf(unshare.Id).Single());
    }

    private static async Task<string?> FirstLineAsync(Process process, CancellationToken cancellationToken)
    {
        try
        {
            Task<string?> line = process.StandardOutput.ReadLineAsync(cancellationToken).AsTask();
            return await line.WaitAsync(BootLimit, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException cause)
        {
            throw new LabException($"a virtual host did not come up within {BootLimit.TotalSeconds:0} s", cause);
        }
    }

    private string[] InitCommand(string name, string work, IReadOnlyList<BindMount> binds) => CgroupEntry.Wrap(
        scope.CgroupsOf(name).JoinFiles(),
        [
            "setsid", "nsenter", $"--net=/run/netns/{scope.NetworkNamespaceOf(name)}",
            "unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "--",
            "/bin/sh", "-c", EmbeddedScript.HostInit, "host-init", name, image.HostRoot, work,
            .. Shown(binds).SelectMany(bind => (string[])[bind.Source, bind.Target, bind.ReadOnly ? "ro" : "rw"]),
        ]);

    private IEnumerable<BindMount> Shown(IReadOnlyList<BindMount> binds) =>
        binds.Prepend(new BindMount(image.ContainerTemplate, VirtualHost.ContainerTemplate, ReadOnly: true))
            .Prepend(new BindMount(image.SystemTemplate, VirtualHost.SystemTemplate, ReadOnly: true));
}
