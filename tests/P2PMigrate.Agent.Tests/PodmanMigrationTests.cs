using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>Containers of Podman, with the shipped program, from an image that the target has never heard of.</summary>
public sealed class PodmanMigrationTests
{
    private const string Name = "c2";

    [Fact]
    [Trait("Spec", "MIG-182")]
    public async Task A_counter_goes_there_with_its_connected_client_and_Podman_goes_on_looking_after_it_and_back()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await ContainerBridge.JoinAsync(peers.Source, peers.Target);
        ContainerNetwork network = await ContainerNetwork.CreateAsync(peers.Source, Name);
        ContainerNetwork vacant = await ContainerNetwork.CreateAsync(peers.Target, Name, attached: false);
        await peers.Target.ShellAsync($"ip link set {vacant.Veth} alias p2pmigrate:{ContainerBridge.Name}"); // as an earlier migration away would have left it
        await StartAsync(peers.Source, "--runtime runc", $"--network ns:{network.Path}");
        using CountingClient client = await CountingClient.ConnectAsync(peers.Source);
        Assert.Equal("1 1", await client.AskAsync());

        MigrateResult there = await peers.MigrateAsync(Name, await peers.ReceiveAsync("--once"));
        Assert.True(there.ExitCode == 0, there.Everything);
        Assert.Equal("1 2", await client.AskAsync());
        Assert.Equal(("", $"{Name} running"), (await ListAsync(peers.Source), await ListAsync(peers.Target)));
        Assert.Equal("harbour", (await peers.Target.ShellAsync($"podman exec {Name} cat /proc/sys/kernel/hostname")).Trim());

        // As somebody would do who looks after it there.
        await peers.Target.ShellAsync($"podman stop --time 0 {Name} 2>/dev/null; podman start {Name}");
        using CountingClient other = await CountingClient.ConnectAsync(peers.Source);
        Assert.Equal("1 1", await other.AskAsync());
        Assert.Equal("harbour green", (await peers.Target.ShellAsync($"podman exec {Name} sh -c 'echo $(cat /proc/sys/kernel/hostname) $COLOUR'")).Trim());
        MigrateResult back = await peers.MigrateBackAsync(Name);
        Assert.True(back.ExitCode == 0, back.Everything);
        Assert.Equal("1 2", await other.AskAsync());
        Assert.Equal(($"{Name} running", ""), (await ListAsync(peers.Source), await ListAsync(peers.Target)));
    }

    /// <summary>As <c>podman run</c> makes it when it is told nothing: crun runs it, in a network of Podman's.</summary>
    [Fact]
    [Trait("Spec", "MIG-184")]
    public async Task One_in_a_network_of_Podmans_keeps_its_address_and_its_published_port_once_the_address_is_free()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await StartAsync(peers.Source, "", "--publish 8080:7000");
        Assert.Equal("1 1", await AskAsync(peers.Source, "10.88.0.1", 8080));
        await peers.Target.ShellAsync("cp -a /opt/container-template /data/other; podman run -d --name other --pids-limit 0 --rootfs /data/other sleep 1000 </dev/null >/dev/null");
        string ticket = await peers.ReceiveAsync("--once");
        MigrateResult refused = await peers.MigrateAsync(Name, ticket);
        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("podman stop other", refused.Everything, StringComparison.Ordinal);
        Assert.Equal("2 2", await AskAsync(peers.Source, "10.88.0.1", 8080));

        await peers.Target.ShellAsync("podman rm --force --time 0 other");
        MigrateResult there = await peers.MigrateAsync(Name, ticket);
        Assert.True(there.ExitCode == 0, there.Everything);
        Assert.Equal(("", $"{Name} running"), (await ListAsync(peers.Source), await ListAsync(peers.Target)));
        Assert.Equal("3 3", await AskAsync(peers.Target, "10.88.0.1", 8080));
        Assert.Equal("4 4", await AskAsync(peers.Target, "10.88.0.2", 7000));
        Assert.Equal("crun", (await peers.Target.ShellAsync($"podman inspect {Name} --format '{{{{.OCIRuntime}}}}'")).Trim());

        MigrateResult back = await peers.MigrateBackAsync(Name);
        Assert.True(back.ExitCode == 0, back.Everything);
        Assert.Equal("5 5", await AskAsync(peers.Source, "10.88.0.1", 8080));
        Assert.Equal("", (await peers.Target.ShellAsync("ls /run/netns; nft list ruleset | grep 8080 || :")).Trim());
    }

    [Fact]
    [Trait("Spec", "MIG-183")]
    public async Task One_that_Podman_would_start_again_is_not_touched()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await StartAsync(peers.Source, "", "--network none --restart always");
        MigrateResult refused = await peers.MigrateAsync(Name, await peers.ReceiveAsync("--once"));
        Assert.Equal(3, refused.ExitCode);
        Assert.Contains($"podman update --restart no {Name}", refused.Everything, StringComparison.Ordinal);
        Assert.Equal($"{Name} running", await ListAsync(peers.Source));
    }

    private static async Task StartAsync(VirtualHost host, string podman, string container)
    {
        await host.ShellAsync("cp -a /opt/container-template /data/image; mkdir -p /data/image/srv");
        await host.WriteTextAsync("/data/image/srv/counter.py", CountingClient.Server);
        await host.ShellAsync(
            $"tar -C /data/image -c . | podman import - local/counter >/dev/null 2>&1; rm -rf /data/image; " +
            $"podman {podman} run -d --name {Name} --hostname harbour --env COLOUR=green --pids-limit 0 {container} local/counter python3 /srv/counter.py </dev/null >/dev/null");
    }

    /// <summary>What a client of one question, on the host itself, is answered.</summary>
    private static async Task<string> AskAsync(VirtualHost host, string address, int port) =>
        (await host.ShellAsync($"python3 -c \"import socket; s = socket.create_connection(('{address}', {port}), 20); s.send(b'?'); print(s.recv(64).decode())\"")).Trim();

    private static async Task<string> ListAsync(VirtualHost host) => (await host.ShellAsync("podman ps -a --format '{{.Names}} {{.State}}'")).Trim();
}
