using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>Containers of crun, with the shipped program, on machines that have runc too.</summary>
public sealed class CrunMigrationTests
{
    private const string Name = "c2";

    [Fact]
    [Trait("Spec", "MIG-180")]
    public async Task A_counter_goes_there_with_its_connected_client_and_back_with_another()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await ContainerBridge.JoinAsync(peers.Source, peers.Target);
        ContainerNetwork network = await ContainerNetwork.CreateAsync(peers.Source, Name);
        ContainerNetwork vacant = await ContainerNetwork.CreateAsync(peers.Target, Name, attached: false);
        await peers.Target.ShellAsync($"ip link set {vacant.Veth} alias p2pmigrate:{ContainerBridge.Name}"); // as an earlier migration away would have left it
        ContainerBundle bundle = await ContainerBundle.CreateAsync(
            peers.Source, new ContainerOptions { Name = Name, Arguments = ["python3", "/srv/counter.py"], NetworkNamespacePath = network.Path });
        await peers.Source.WriteTextAsync($"{bundle.Rootfs}/srv/counter.py", CountingClient.Server);
        await peers.Source.ShellAsync($"crun run --detach --bundle {bundle.Directory} {Name} </dev/null >/dev/null 2>&1");
        using CountingClient client = await CountingClient.ConnectAsync(peers.Source);
        Assert.Equal("1 1", await client.AskAsync());

        MigrateResult there = await peers.MigrateAsync(Name, await peers.ReceiveAsync("--once"));
        Assert.True(there.ExitCode == 0, there.Everything);
        Assert.Equal("1 2", await client.AskAsync());
        Assert.Equal(("", Name), (await ListAsync(peers.Source), await ListAsync(peers.Target)));

        // Another: the end of the first connection's old copy waits in the source's namespace for an answer that cannot come, and CRIU cannot restore the same one beside it, with runc neither.
        using CountingClient other = await AnotherAsync(client, peers.Source);
        Assert.Equal("2 3", await other.AskAsync());
        MigrateResult back = await peers.MigrateBackAsync(Name);
        Assert.True(back.ExitCode == 0, back.Everything);
        Assert.Equal("2 4", await other.AskAsync());
        Assert.Equal((Name, ""), (await ListAsync(peers.Source), await ListAsync(peers.Target)));
        Assert.Equal("", await peers.Target.ShellAsync("ls /run/crun"));
    }

    private static Task<CountingClient> AnotherAsync(CountingClient client, VirtualHost host)
    {
        client.Dispose(); // the server serves one at a time
        return CountingClient.ConnectAsync(host);
    }

    private static async Task<string> ListAsync(VirtualHost host) => (await host.ShellAsync("crun list -q")).Trim();
}
