using System.Diagnostics;

namespace P2PMigrate.Lab;

/// <summary>Raises one virtual host inside a lab's scope.</summary>
internal sealed class VirtualHostBuilder(LabScope scope, RootfsImage image)
{
    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(30);

    private static readonly string[] s_networkSettings =
        ["net.ipv4.ip_forward=1", "net.ipv4.ping_group_range=0 2147483647"];

    /// <summary>The node's cgroups and network namespace exist already; this gives it a root, processes and a container bridge.</summary>
    public async Task<VirtualHost> BootAsync(string name, IReadOnlyList<BindMount> binds, CancellationToken cancellationToken)
    {
        string work = scope.WorkOf(name);
        foreach (string directory in (string[])["root", "upper", "overlay", "plain"]) Directory.CreateDirectory(Path.Combine(work, directory));

        ProcessIdentity init = await StartInitAsync(name, work, binds, cancellationToken).ConfigureAwait(false);
        scope.RecordHost(name, init);
        var host = new VirtualHost(scope, name, init);
        foreach (string setting in s_networkSettings) (await host.RunAsync("sysctl", ["-qw", setting], cancellationToken).ConfigureAwait(false)).EnsureSuccess();
        await ContainerBridge.CreateAsync(host, cancellationToken).ConfigureAwait(false);
        return host;
    }

    private async Task<ProcessIdentity> StartInitAsync(string name, string work, IReadOnlyList<BindMount> binds, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("/bin/sh", InitCommand(name, work, binds))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Not disposed of with `using`: it is the parent of the host's first process and lives as long as the host.
        Process unshare = Tool.Launch(start);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(BootLimit);
        string? said = await unshare.StandardOutput.ReadLineAsync(limit.Token).ConfigureAwait(false);
        if (said != "ready")
            throw new LabException($"virtual host {name} did not come up: {await unshare.StandardError.ReadToEndAsync(limit.Token).ConfigureAwait(false)}");

        string children = await File.ReadAllTextAsync($"/proc/{unshare.Id}/task/{unshare.Id}/children", limit.Token).ConfigureAwait(false);
        return ProcessIdentity.Of(int.Parse(children.Trim()));
    }

    private IEnumerable<string> InitCommand(string name, string work, IReadOnlyList<BindMount> binds) =>
    [
        "-c", "while [ \"$1\" != -- ]; do echo 0 > \"$1\"; shift; done; shift; exec \"$@\"", "p2plab",
        .. scope.CgroupsOf(name).JoinFiles(), "--",
        "setsid", "nsenter", $"--net=/run/netns/{scope.NetworkNamespaceOf(name)}",
        "unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "--",
        "/bin/sh", "-c", EmbeddedScript.HostInit, "host-init", name, image.HostRoot, work,
        .. binds.SelectMany(bind => (string[])[bind.Source, bind.Target, bind.ReadOnly ? "ro" : "rw"]),
    ];
}
