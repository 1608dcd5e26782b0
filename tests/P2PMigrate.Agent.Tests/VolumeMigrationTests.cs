using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>Containers that see directories and files of their machine, with the shipped program.</summary>
public sealed class VolumeMigrationTests
{
    private const string Name = "c2", Writer = "i=0; while sleep 0.02; do i=$((i+1)); echo $i >> /vol/log; done";

    [Fact]
    [Trait("Spec", "MIG-186")]
    public async Task A_volume_that_the_target_does_not_have_goes_along_when_the_user_says_so_and_back_by_itself()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await StartAsync(peers.Source);
        string ticket = await peers.ReceiveAsync("--once");
        await ExpectAsync(peers, ticket, 3, "or let it go along: --volume /vol=copy");
        await ExpectAsync(peers, ticket, 2, "--volume vol=copy: say it as in --volume /data=copy", "--volume", "vol=copy");
        await ExpectAsync(peers, ticket, 2, "--volume says two things of /vol", "--volume", "/vol=copy", "--volume", "/vol/=skip");
        await ExpectAsync(peers, ticket, 3, "c2 has no volume at /other; it has /etc/app.conf, /vol.", "--volume", "/other=copy");

        await ExpectAsync(peers, ticket, 0, "\"event\":\"completed\"", "--volumes", "copy");
        string[] left = await LinesAsync(peers.Source, "/data/vol/log");
        Assert.Equal(left, (await LinesAsync(peers.Target, $"/proc/{await InitAsync(peers.Target)}/root/vol/log"))[..left.Length]);
        Assert.Equal("text", (await peers.Target.ReadTextAsync($"/var/lib/p2pmigrate/containers/{Name}/rootfs/etc/app.conf")).Trim());
        await AssertGoesOnAsync(peers.Target);
        Assert.Equal(left, await LinesAsync(peers.Source, "/data/vol/log"));

        MigrateResult back = await peers.MigrateBackAsync(Name);
        Assert.True(back.ExitCode == 0, back.Everything);
        await AssertGoesOnAsync(peers.Source);
        Assert.Equal(left, await LinesAsync(peers.Source, "/data/vol/log"));
    }

    [Fact]
    [Trait("Spec", "MIG-186")]
    public async Task An_archive_holds_the_volumes_that_it_is_to_hold()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await StartAsync(peers.Source);
        await RunAsync(peers.Source, "checkpoint", Name, "-o", "/data/c2.p2pm", "--volume", "/vol=copy", "--volume", "/etc/app.conf=skip");
        File.Copy(peers.Source.PlainPathOf("/data/c2.p2pm"), peers.Target.PlainPathOf("/data/c2.p2pm"));
        await RunAsync(peers.Target, "restore", "/data/c2.p2pm");
        string[] left = await LinesAsync(peers.Source, "/data/vol/log");
        string view = $"/proc/{await InitAsync(peers.Target)}/root";
        Assert.Equal(left, (await LinesAsync(peers.Target, $"{view}/vol/log"))[..left.Length]);
        Assert.Equal("0", (await peers.Target.ShellAsync($"stat -c %s {view}/etc/app.conf")).Trim());
        await AssertGoesOnAsync(peers.Target);
    }

    /// <summary>As an image's own volume is: Podman gave it its place.</summary>
    [Fact]
    [Trait("Spec", "MIG-186")]
    public async Task A_named_volume_of_Podman_goes_along_and_Podman_starts_the_container_with_it_later()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await peers.Source.ShellAsync($"cp -a /opt/container-template /data/{Name}; podman run -d --name {Name} --network none --pids-limit 0 -v store:/vol --rootfs /data/{Name} sh -c '{Writer}' </dev/null >/dev/null");
        await ExpectAsync(peers, await peers.ReceiveAsync("--once"), 0, "\"event\":\"completed\"", "--volume", "/vol=copy");
        string[] left = await LinesAsync(peers.Source, "/var/lib/containers/storage/volumes/store/_data/log");
        Assert.Equal(left, (await LinesAsync(peers.Target, $"/var/lib/p2pmigrate/containers/{Name}/rootfs/vol/log"))[..left.Length]);
        await peers.Target.ShellAsync($"podman stop --time 0 {Name} 2>/dev/null; podman start {Name}");
        await AssertGoesOnAsync(peers.Target, podman: true);
        Assert.Equal("", (await peers.Target.ShellAsync("podman volume ls -q")).Trim());
    }

    private static async Task StartAsync(VirtualHost host)
    {
        await host.ShellAsync("mkdir -p /data/vol; echo text > /data/app.conf");
        ContainerBundle bundle = await ContainerBundle.CreateAsync(host, new ContainerOptions
        {
            Name = Name,
            Arguments = ["sh", "-c", Writer],
            Mounts = [new BindMount("/data/vol", "/vol"), new BindMount("/data/app.conf", "/etc/app.conf")],
        });
        await host.ShellAsync($"runc run --detach --bundle {bundle.Directory} {Name} </dev/null >/dev/null 2>&1; until [ -s /data/vol/log ]; do sleep 0.1; done");
    }

    private static async Task ExpectAsync(MigrationPeers peers, string ticket, int code, string sentence, params string[] options)
    {
        MigrateResult result = await peers.MigrateAsync(Name, ticket, options);
        Assert.True(result.ExitCode == code, result.Everything);
        Assert.Contains(sentence, result.Everything, StringComparison.Ordinal);
    }

    private static async Task RunAsync(VirtualHost host, params string[] arguments)
    {
        CommandResult result = await host.RunAsync(MigrationPeers.Program, arguments);
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
    }

    private static async Task AssertGoesOnAsync(VirtualHost host, bool podman = false)
    {
        string log = $"/proc/{await InitAsync(host, podman)}/root/vol/log";
        string[] before = await LinesAsync(host, log);
        await host.ShellAsync($"timeout 20 sh -c 'until [ $(wc -l < {log}) -gt {before.Length + 10} ]; do sleep 0.1; done'");
    }

    private static async Task<string> InitAsync(VirtualHost host, bool podman = false) =>
        (await host.ShellAsync(podman ? $"podman inspect {Name} --format '{{{{.State.Pid}}}}'" : $"runc state {Name} | sed -n 's/.*\"pid\": \\([0-9]*\\).*/\\1/p'")).Trim();

    private static async Task<string[]> LinesAsync(VirtualHost host, string path) => (await host.ShellAsync($"cat {path}")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
