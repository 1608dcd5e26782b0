using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>Containers of LXC, with the shipped program.</summary>
public sealed class LxcMigrationTests
{
    private const string Name = "c1";

    [Fact]
    [Trait("Spec", "MIG-160")]
    public async Task A_counter_and_its_connected_client_go_there_and_back()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await ContainerBridge.JoinAsync(peers.Source, peers.Target);
        LxcContainer container = await LxcContainer.CreateAsync(peers.Source, Name, "/usr/bin/python3 /srv/counter.py");
        await peers.Source.WriteTextAsync($"{container.Rootfs}/srv/counter.py", CountingClient.Server);
        await container.StartAsync();
        using CountingClient client = await CountingClient.ConnectAsync(peers.Source);
        Assert.Equal("1 1", await client.AskAsync());

        MigrateResult there = await peers.MigrateAsync(Name, await peers.ReceiveAsync("--once"));
        Assert.True(there.ExitCode == 0, there.Everything);
        Assert.Equal("1 2", await client.AskAsync());
        Assert.Equal("RUNNING", await LxcContainer.Find(peers.Target, Name).StatusAsync());
        Assert.Null(await container.StatusAsync());

        MigrateResult back = await peers.MigrateBackAsync(Name);
        Assert.True(back.ExitCode == 0, back.Everything);
        Assert.Equal("1 3", await client.AskAsync());
        Assert.Equal("RUNNING", await container.StatusAsync());
        Assert.Null(await LxcContainer.Find(peers.Target, Name).StatusAsync());
        Assert.Equal("", await peers.Target.ShellAsync("ls /var/lib/lxc /var/lib/p2pmigrate/containers | grep -v : | grep . || :"));
    }
}
