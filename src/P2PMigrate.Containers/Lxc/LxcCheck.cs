using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Volumes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Lxc;

/// <summary>What a container's configuration says about whether it can leave here, or come here.</summary>
internal sealed class LxcCheck(LxcTool lxc, ContainerDescription container)
{
    private const string LinkRoot = "/sys/class/net";

    private readonly List<Finding> _findings = [];

    /// <summary>At the source: what CRIU could not dump or LXC not restore, and what would not come along. LXC itself is asked for what included files may set.</summary>
    public async Task<IReadOnlyList<Finding>> AtSourceAsync(CancellationToken cancellationToken)
    {
        if (LxcConfiguration.Parse(container.Configuration.Span) is not { } configuration) return _findings;
        if (await lxc.SettingAsync(container.Name, "lxc.console.path", cancellationToken).ConfigureAwait(false) != "none")
        {
            Add(FindingSeverity.Blocker, "console", "The container has a console, a terminal of this machine.", "Set lxc.console.path = none in its configuration and start it anew.");
        }

        if (await lxc.SettingAsync(container.Name, "lxc.tty.max", cancellationToken).ConfigureAwait(false) is not ("0" or ""))
        {
            Add(FindingSeverity.Blocker, "terminals", "The container has terminals of this machine.", "Set lxc.tty.max = 0 in its configuration and start it anew.");
        }

        if (!configuration.HasIdMap && await lxc.SettingAsync(container.Name, "lxc.idmap", cancellationToken).ConfigureAwait(false) is { Length: > 0 })
        {
            Add(FindingSeverity.Blocker, "user namespace", "The container's users are mapped by a file that its configuration includes.", "Write its lines lxc.idmap into the configuration itself, and start it anew.");
        }

        if (!container.RootPath.StartsWith('/'))
        {
            Add(FindingSeverity.Blocker, "root file system", $"The root file system is {container.RootPath}, no plain directory.", "Use lxc.rootfs.path = dir:DIRECTORY.");
        }

        if (await lxc.SettingAsync(container.Name, "lxc.start.auto", cancellationToken).ConfigureAwait(false) is not ("0" or ""))
        {
            Add(
                FindingSeverity.Blocker, "autostart", "LXC starts the container when a machine starts, whatever a migration that lost its power had come to.",
                "Set lxc.start.auto = 0 in its configuration; at the target, set it again when it runs there.");
        }

        if (container.CgroupPath.EndsWith("/init.scope", StringComparison.Ordinal))
        {
            Add(
                FindingSeverity.Blocker, "cgroup", $"The container's first process is systemd, and its cgroup ({container.CgroupPath}) is in none of LXC's own name, so that its services cannot be told from others' processes.",
                "Take lxc.cgroup.dir.container out of its configuration and start it anew.");
        }

        CheckInterfaces(configuration);
        return [.. _findings, .. VolumeCheck.AtSource(container, configuration.BindMounts)];
    }

    /// <summary>At the target: what it needs of this machine.</summary>
    public IReadOnlyList<Finding> AtTarget()
    {
        if (LxcConfiguration.Parse(container.Configuration.Span) is not { } configuration)
        {
            Add(FindingSeverity.Blocker, "configuration", "The container's configuration is no text.", "Repair it at the source.");
            return _findings;
        }

        CheckInterfaces(configuration);
        if (configuration.HasIdMap) _findings.AddRange(UserNamespaces.AtTarget(lxc.Options.DataDirectory));
        foreach (string bridge in configuration.Interfaces.Select(link => link.Link).OfType<string>().Where(bridge => !Directory.Exists(Path.Combine(LinkRoot, Path.GetFileName(bridge)))))
        {
            Add(FindingSeverity.Blocker, "network", $"The bridge {bridge}, which the container's network is attached to, does not exist here.", $"ip link add {bridge} type bridge; ip link set {bridge} up");
        }

        foreach (string file in configuration.Includes.Where(file => !Path.Exists(file)))
        {
            Add(FindingSeverity.Blocker, "configuration", $"The file {file}, which the container's configuration includes, does not exist here.", "Install the same LXC, or copy the file.");
        }

        _findings.AddRange(VolumeCheck.AtTarget(configuration.BindMounts));
        if (configuration.HasHooks)
        {
            Add(FindingSeverity.Warning, "hooks", "The container's configuration runs programs of the host (lxc.hook), which must exist here too.", "Look at lxc.hook in its configuration.");
        }

        return _findings;
    }

    private void CheckInterfaces(LxcConfiguration configuration)
    {
        foreach (LxcInterface link in configuration.Interfaces.Where(link => link.Type is not ("veth" or "empty")))
        {
            Add(FindingSeverity.Blocker, "network", $"The container's network {link.Index} is of the type {link.Type}.", "Use veth with a bridge, or empty.");
        }
    }

    private void Add(FindingSeverity severity, string subject, string message, string? remedy = null) => _findings.Add(new Finding(severity, subject, message, remedy));
}
