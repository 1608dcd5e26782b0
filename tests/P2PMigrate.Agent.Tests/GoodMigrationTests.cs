using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>The shipped program, real CRIU, real NATs: what a user may rely on after a migration.</summary>
public sealed class GoodMigrationTests
{
    [Fact]
    public async Task Between_port_restricted_nats_everything_arrives_over_a_direct_path()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 32, filesMegabytes: 8);
        string ticket = await peers.ReceiveAsync("--once");
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));

        MigrateResult result = await peers.MigrateAsync(WitnessContainer.Name, ticket);
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal("completed", result.Text("event"));
        Assert.Equal("direct", result.Text("path"));

        Testimony after = await WitnessContainer.WaitAsync(peers.Target, TimeSpan.FromSeconds(5));
        Assert.Equal(before.Nonce, after.Nonce);
        Assert.True(after.Counter > before.Counter, $"{before.Counter}, then {after.Counter}");
        Assert.Equal((4321, 1234), (after.ReadOffset, after.WriteOffset));
        Assert.Equal(1239, (await WitnessContainer.AskAsync(peers.Target, "write"))!.WriteOffset);
        Assert.Empty((await WitnessContainer.AskAsync(peers.Target, "check"))!.Wrong);

        Assert.Null(await ContainerBundle.Find(peers.Source, WitnessContainer.Name).StatusAsync());
        Assert.Equal("running", await ContainerBundle.Find(peers.Target, WitnessContainer.Name).StatusAsync());
        Assert.Equal("", await TreeComparison.DifferencesAsync(peers));
        Assert.Equal(0, await peers.Receive!.WaitForExitAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Between_symmetric_nats_it_completes_over_the_relay()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync(NatKind.Symmetric);
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 4, filesMegabytes: 1);
        string ticket = await peers.ReceiveAsync();
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));

        MigrateResult result = await peers.MigrateAsync(WitnessContainer.Name, ticket);
        Assert.True(result.ExitCode == 0, result.Everything);
        Assert.Equal("relay", result.Text("path"));
        Testimony after = await WitnessContainer.WaitAsync(peers.Target, TimeSpan.FromSeconds(5));
        Assert.Equal(before.Nonce, after.Nonce);
    }

    [Fact]
    public async Task What_passes_the_core_holds_no_sixteen_bytes_of_the_containers_memory_or_files()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 4, filesMegabytes: 1);
        string ticket = await peers.ReceiveAsync();
        await using PacketCapture capture = await peers.Lab.CaptureAsync(peers.Lab.Core);

        MigrateResult result = await peers.MigrateAsync(WitnessContainer.Name, ticket);
        await capture.StopAsync(TestContext.Current.CancellationToken);
        Assert.True(result.ExitCode == 0, result.Everything);

        byte[] seen = await File.ReadAllBytesAsync(capture.File, TestContext.Current.CancellationToken);
        Assert.True(seen.Length > 4_000_000, $"only {seen.Length} bytes were captured");
        byte[] marker = System.Text.Encoding.ASCII.GetBytes(WitnessContainer.Marker);
        for (int turn = 0; turn < marker.Length; turn++)
            Assert.Equal(-1, seen.AsSpan().IndexOf((byte[])[.. marker[turn..], .. marker[..turn]]));
    }
}
