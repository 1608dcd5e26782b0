using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>What a migration could leave behind on a host: mounts, firewall rules, cgroups, frozen or foreign processes, job directories.</summary>
internal sealed record Leftovers(string Mounts, string Firewall, string Cgroups, string Frozen, string Programs, string Jobs, string Containers)
{
    public static async Task<Leftovers> OnAsync(VirtualHost host) => new(
        await host.ShellAsync("cut -d' ' -f5 /proc/self/mountinfo | sort"),
        await host.ShellAsync("nft list ruleset; for n in $(ip netns list | cut -d' ' -f1); do ip netns exec $n nft list ruleset; ip netns exec $n iptables-save | grep -v '^#' || true; done"),
        await host.ShellAsync("find /sys/fs/cgroup -mindepth 1 -type d | { grep -v '^/sys/fs/cgroup/init' || true; } | sort"),
        await host.ShellAsync("grep -l 'frozen 1' $(find /sys/fs/cgroup -name cgroup.events) || true"),
        await host.ShellAsync("ps -eo comm= | { grep -E '^(criu|runc|p2pmigrate)' || true; } | sort | uniq -c"),
        await host.ShellAsync("find /var/lib/p2pmigrate/jobs /var/lib/p2pmigrate/journal /var/lib/p2pmigrate/containers -mindepth 1 -maxdepth 1 2>/dev/null || true"),
        await host.ShellAsync("ls /run/runc 2>/dev/null || true"));
}
