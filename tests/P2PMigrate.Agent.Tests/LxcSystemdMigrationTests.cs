using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>A container of LXC with systemd as its init, with the shipped program: what a person would look at.</summary>
public sealed class LxcSystemdMigrationTests
{
    private const string Name = "c1";
    private const string Address = "10.20.0.10";
    private const string Client = "10.20.0.99"; // Either host's bridge has the gateway's address: what a container sends there stays on its own host.
    private const string BootIdFile = "/proc/sys/kernel/random/boot_id";
    private const string TargetBootId = "00000000-7a2e-4e1f-9b60-000000000077";
    private static readonly TimeSpan s_answer = TimeSpan.FromSeconds(30);

    [Fact]
    [Trait("Spec", "MIG-162")]
    [Trait("Spec", "MIG-166")]
    public async Task Sshd_a_shell_job_in_its_terminal_a_timer_and_firewall_rules_go_on_with_the_boot_they_began_in()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await ContainerBridge.JoinAsync(peers.Source, peers.Target);
        // The bridge takes the container's link's address, the lowest: off the bridge, that link still hears for this machine what was meant for the bridge.
        await peers.Source.ShellAsync($"ip link set {ContainerBridge.JoinName} address fe:ff:ff:ff:ff:fe");
        await peers.Source.ShellAsync($"ip address add {Client}/{ContainerBridge.PrefixLength} dev {ContainerBridge.Name}");
        LxcContainer container = await StartAsync(peers.Source);
        await container.AttachAsync("echo kept > /tmp/kept");
        await peers.Source.ShellAsync($"nsenter -t $(lxc-info -n {Name} -pH) -n nft add table inet kept; nsenter -t $(lxc-info -n {Name} -pH) -n nft add chain inet kept input");
        await using LabProcess job = await LogInAsync(peers.Source);
        await AskAsync(job, "before", "job 1 before");
        string boot = await BootAsync(container);
        await GiveBootIdAsync(peers.Target);
        await AssertBootIsItsOwnAsync(container);

        MigrateResult there = await peers.MigrateAsync(Name, await peers.ReceiveAsync("--once"));
        Assert.True(there.ExitCode == 0, there.Everything);
        LxcContainer moved = LxcContainer.Find(peers.Target, Name);
        if (job.HasExited)
            Assert.Fail($"ssh has ended: {job.Output.Text}{job.Error.Text}\n{await moved.AttachAsync("ss -tan; ps -ef; journalctl --no-pager -n 60")}");
        await AskAsync(job, "after", "job 2 after");
        int ticks = await TicksAsync(moved);
        Assert.Null(await container.StatusAsync());
        Assert.Equal(boot, await BootAsync(moved));
        await AssertBootIsItsOwnAsync(moved);
        Assert.Equal("kept", (await moved.AttachAsync("cat /tmp/kept")).Trim());
        Assert.Contains("chain input", await peers.Target.ShellAsync($"nsenter -t $(lxc-info -n {Name} -pH) -n nft list table inet kept"), StringComparison.Ordinal);
        Assert.Contains("ssh-ed25519", await peers.Target.ShellAsync($"ssh-keyscan -T 20 -t ed25519 {Address}"), StringComparison.Ordinal);
        Assert.Equal("running", (await moved.AttachAsync("systemctl is-system-running || :")).Trim());
        while (await TicksAsync(moved) <= ticks + 1) await Task.Delay(100);
    }

    private static async Task<LxcContainer> StartAsync(VirtualHost host)
    {
        LxcContainer container = await LxcContainer.CreateAsync(
            host, Name, "/sbin/init", VirtualHost.SystemTemplate, Address,
            more: ["lxc.pty.max = 1024", .. ((string[])["MEMORY", "CPU", "IO"]).Select(kind => $"lxc.environment = {kind}_PRESSURE_WATCH=/dev/null")]);
        await host.ShellAsync($$"""
            ssh-keygen -q -t ed25519 -N '' -f /root/key
            cd {{container.Rootfs}}
            mkdir -p -m 700 root/.ssh; cp /root/key.pub root/.ssh/authorized_keys
            printf 'HostKey /etc/ssh/ssh_host_ed25519_key\nPermitRootLogin yes\nUsePAM no\n' > etc/ssh/sshd_config
            cd etc/systemd/system
            mkdir -p multi-user.target.wants timers.target.wants
            ln -s /usr/lib/systemd/system/ssh.service multi-user.target.wants/
            printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nExecStart=sh -c "echo >> /srv/ticks"\n' > tick.service
            printf '[Timer]\nOnActiveSec=0\nOnUnitActiveSec=1s\nAccuracySec=10ms\n' > tick.timer
            ln -s ../tick.timer timers.target.wants/
            """);
        await container.StartAsync();
        await host.ShellAsync($"until ssh-keyscan -T 1 -t ed25519 {Address} 2>/dev/null | grep -q ed25519; do sleep 0.1; done");
        return container;
    }

    /// <summary>A shell job of somebody who has logged in: it answers each line that is typed with a count that only it knows.</summary>
    private static Task<LabProcess> LogInAsync(VirtualHost host) => host.StartAsync("ssh",
    [
        "-v", "-tt", "-b", Client, "-i", "/root/key", "-o", "StrictHostKeyChecking=no", "-o", "ServerAliveInterval=0", $"root@{Address}", "n=0; while read line; do n=$((n + 1)); echo job $n $line; done",
    ]);

    private static async Task AskAsync(LabProcess job, string line, string answer)
    {
        await job.Input.WriteLineAsync(line);
        await job.Input.FlushAsync();
        await job.Output.WaitForAsync(text => text.Contains(answer, StringComparison.Ordinal), s_answer);
    }

    /// <summary>The boot's own number, and when systemd began by its clock.</summary>
    private static Task<string> BootAsync(LxcContainer container) =>
        container.AttachAsync($"cat {BootIdFile}; systemctl show -P UserspaceTimestampMonotonic; systemctl show -P ActiveEnterTimestampMonotonic ssh");

    /// <summary>The hosts of a lab have one kernel, and so one boot id; two machines have two.</summary>
    private static async Task GiveBootIdAsync(VirtualHost host)
    {
        await host.ShellAsync($"echo {TargetBootId} > /run/boot-id; mount --bind /run/boot-id {BootIdFile}");
        Assert.Equal(TargetBootId, (await host.ShellAsync($"cat {BootIdFile}")).Trim());
    }

    /// <summary>LXC has put a file of the container's own over the machine's boot id.</summary>
    private static async Task AssertBootIsItsOwnAsync(LxcContainer container)
    {
        Assert.Contains($" /.lxc-boot-id {BootIdFile} ro,", await container.AttachAsync("cat /proc/1/mountinfo"), StringComparison.Ordinal);
        Assert.NotEqual((await container.Host.ShellAsync($"cat {BootIdFile}")).Trim(), (await container.AttachAsync($"cat {BootIdFile}")).Trim());
    }

    private static async Task<int> TicksAsync(LxcContainer container) => int.Parse(await container.AttachAsync("wc -l < /srv/ticks"), System.Globalization.CultureInfo.InvariantCulture);
}
