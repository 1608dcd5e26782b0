using System.Globalization;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>
/// A container of LXC whose first process is systemd, with services and a timer that leave marks in its root file system, and one that counts in memory only. Disposing removes the
/// container, not its directory below /data.
/// </summary>
internal sealed class SystemContainer : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(40);

    private SystemContainer(string name) => Name = name;

    public string Name { get; }

    public string Root => $"/data/{Name}/rootfs";

    /// <summary>From the host's template, started, and up as far as systemd says.</summary>
    public static async Task<SystemContainer> StartAsync()
    {
        var container = new SystemContainer("s" + Guid.NewGuid().ToString("N")[..8]);
        await Shell.RunAsync($"mkdir -p /data/{container.Name}; cp -a /opt/system-template {container.Root}");
        await container.AddUnitsAsync();
        await IGround.Current.ConfigureAsync(container.Name, ["../sbin/init"], null);
        await Shell.RunAsync($"for kind in MEMORY CPU IO; do echo lxc.environment = ${{kind}}_PRESSURE_WATCH=/dev/null; done >> /var/lib/lxc/{container.Name}/config");
        await IGround.Current.StartAsync(container.Name, container.Name, "");
        await WaitAsync(() => StateAsync(container.Name), "running");
        return container;
    }

    /// <summary>What systemd says of itself in the container of this name.</summary>
    public static Task<string> StateAsync(string name) => InAsync(name, "systemctl is-system-running || :");

    /// <summary>Runs a command in a container that runs, beside what it runs itself.</summary>
    public static Task<string> InAsync(string name, string script) =>
        Shell.RunAsync($"timeout 40 lxc-attach -n {name} --clear-env -v PATH=/usr/sbin:/usr/bin -- sh -c '{script}' </dev/null 2>&1");

    /// <summary>How often the timer has fired, by the file that its service writes to.</summary>
    public static int TicksIn(string root) => File.Exists($"{root}/srv/ticks") ? File.ReadLines($"{root}/srv/ticks").Count() : 0;

    /// <summary>What the counting service counted last.</summary>
    public static long CountIn(string root) =>
        File.Exists($"{root}/srv/count") && long.TryParse(File.ReadAllText($"{root}/srv/count"), CultureInfo.InvariantCulture, out long count) ? count : 0;

    /// <summary>Waits until both the timer and the counting service have gone on from what they were at; if they do not, systemd is asked why.</summary>
    public static async Task WaitUntilGoneOnAsync(string name, string root)
    {
        (int ticks, long count) = (TicksIn(root), CountIn(root));
        var limit = System.Diagnostics.Stopwatch.StartNew();
        while (TicksIn(root) <= ticks + 1 || CountIn(root) <= count)
        {
            if (limit.Elapsed > s_limit)
                Assert.Fail($"from {ticks} ticks and a count of {count} it came to {TicksIn(root)} and {CountIn(root)}; systemd says: {await InAsync(name, "cat /proc/uptime; systemctl show tick.timer tick.service count.service; systemctl list-jobs; ps -ef; cat /proc/1/fdinfo/* | grep -A5 clockid")}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private Task<string> AddUnitsAsync() => Shell.RunAsync($$"""
        cd {{Root}}/etc/systemd/system
        mkdir -p multi-user.target.wants timers.target.wants
        printf '[Service]\nPrivateTmp=yes\nProtectSystem=full\nExecStart=sh -c "n=0; while sleep 0.05; do n=$$((n + 1)); echo $$n > /srv/count; done"\n' > count.service
        printf '[Service]\nType=exec\nExecStart=sh -c "exec 3<>/proc/pressure/memory; exec sleep 1000"\n' > pressure.service
        printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nExecStart=sh -c "echo >> /srv/ticks"\n' > tick.service
        printf '[Timer]\nOnActiveSec=0\nOnUnitActiveSec=300ms\nAccuracySec=10ms\n' > tick.timer
        ln -s ../count.service multi-user.target.wants/
        ln -s ../tick.timer timers.target.wants/
        """);

    private static async Task WaitAsync(Func<Task<string>> look, string wanted)
    {
        string seen = await look();
        for (var limit = System.Diagnostics.Stopwatch.StartNew(); seen != wanted; seen = await look())
        {
            Assert.True(limit.Elapsed < s_limit, $"after {s_limit.TotalSeconds} s it is not {wanted} but {seen}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync() => await Shell.RunAsync($"{IGround.Current.Removal(Name)}");
}
