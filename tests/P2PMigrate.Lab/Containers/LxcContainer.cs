namespace P2PMigrate.Lab;

/// <summary>
/// A container of a virtual host as LXC knows it: its directory is <c>/var/lib/lxc/NAME</c>, with a root file system of its own, which the caller may change before
/// <see cref="StartAsync"/> and look at afterwards. Its interface is on the host's bridge.
/// </summary>
public sealed class LxcContainer
{
    private LxcContainer(VirtualHost host, string name) => (Host, Name) = (host, name);

    public VirtualHost Host { get; }

    public string Name { get; }

    /// <summary>The root file system's directory in the host, where it was made.</summary>
    public string Rootfs => $"/var/lib/lxc/{Name}/rootfs";

    /// <summary>Copies the template and writes a configuration. <paramref name="program"/> is the first process, with a path. <paramref name="more"/> are further lines.</summary>
    public static async Task<LxcContainer> CreateAsync(
        VirtualHost host, string name, string program, string template = VirtualHost.ContainerTemplate, string address = "10.20.0.10", string mac = "02:42:0a:14:00:0a",
        IEnumerable<string>? more = null, CancellationToken cancellationToken = default)
    {
        var container = new LxcContainer(host, name);
        await host.ShellAsync($"mkdir -p /var/lib/lxc/{name}; cp -a --reflink=auto {template} {container.Rootfs}", cancellationToken).ConfigureAwait(false);
        string[] lines =
        [
            $"lxc.rootfs.path = dir:{container.Rootfs}", $"lxc.uts.name = {name}", $"lxc.init.cmd = {program}",
            "lxc.console.path = none", "lxc.tty.max = 0",
            "lxc.net.0.type = veth", $"lxc.net.0.link = {ContainerBridge.Name}", "lxc.net.0.flags = up", "lxc.net.0.name = eth0",
            $"lxc.net.0.hwaddr = {mac}", $"lxc.net.0.ipv4.address = {address}/{ContainerBridge.PrefixLength}", $"lxc.net.0.ipv4.gateway = {ContainerBridge.Gateway}",
            "lxc.mount.auto = proc:mixed sys:ro", .. more ?? [],
        ];
        await host.WriteTextAsync($"/var/lib/lxc/{name}/config", string.Join('\n', lines) + "\n", cancellationToken).ConfigureAwait(false);
        return container;
    }

    /// <summary>A container that came to the host by other ways, such as a migration.</summary>
    public static LxcContainer Find(VirtualHost host, string name) => new(host, name);

    /// <summary>Starts it in the background.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        string log = $"/run/lxc-{Name}.log";
        CommandResult result = await Host.RunAsync(
            NodeCommand.Shell($"exec lxc-start -n {Name} -l INFO -o {log} < /dev/null > /dev/null 2>&1"), cancellationToken).ConfigureAwait(false);
        if (!result.Succeeded) (result with { Error = await Host.ReadTextAsync(log, cancellationToken).ConfigureAwait(false) }).EnsureSuccess();
    }

    /// <summary>What LXC says of the container, such as RUNNING or STOPPED; null when it knows none of this name.</summary>
    public async Task<string?> StatusAsync(CancellationToken cancellationToken = default)
    {
        CommandResult result = await Host.RunAsync("lxc-info", ["-n", Name, "-s", "-H"], cancellationToken).ConfigureAwait(false);
        return result.Succeeded ? result.Output.Trim() : null;
    }

    /// <summary>Runs a shell command in the container, beside what it runs itself.</summary>
    public Task<string> AttachAsync(string script, CancellationToken cancellationToken = default) =>
        Host.ShellAsync($"lxc-attach -n {Name} -- sh -c '{script.Replace("'", "'\\''", StringComparison.Ordinal)}' < /dev/null", cancellationToken);
}
