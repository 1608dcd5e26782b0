using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>The shipped program puts a container into a file and takes it out again, with real CRIU.</summary>
public sealed class ArchiveCommandTests
{
    private const string Archive = "/data/witness.p2pm";

    [Fact]
    [Trait("Spec", "ARC-22")]
    public async Task A_container_goes_into_a_file_here_and_comes_out_of_it_there()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 8, filesMegabytes: 4);
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));

        await ExpectAsync(peers.Source, 0, "checkpoint", WitnessContainer.Name, "-o", Archive, "--json");
        Assert.Null(await WitnessContainer.AskAsync(peers.Source));
        File.Copy(peers.Source.PlainPathOf(Archive), peers.Target.PlainPathOf(Archive));
        await AssertDamageIsRefusedAsync(peers.Target);
        string restored = await ExpectAsync(peers.Target, 0, "restore", Archive, "--json");

        Assert.Contains("\"event\":\"restored\"", restored, StringComparison.Ordinal);
        Testimony after = await WitnessContainer.WaitAsync(peers.Target, TimeSpan.FromSeconds(5));
        Assert.Equal(before.Nonce, after.Nonce);
        Assert.True(after.Counter >= before.Counter, $"the counter went from {before.Counter} to {after.Counter}");
        Assert.Empty((await WitnessContainer.AskAsync(peers.Target, "check"))!.Wrong);
    }

    [Fact]
    [Trait("Spec", "ARC-23")]
    public async Task A_container_left_running_goes_on_and_its_archive_passes_a_pipe()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 4, filesMegabytes: 1);
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));

        await ExpectAsync(peers.Source, 2, "checkpoint", WitnessContainer.Name, "-o", "-");
        string ended = await peers.Source.ShellAsync(
            $"bash -c '{MigrationPeers.Program} checkpoint {WitnessContainer.Name} -o - --leave-running 2> /dev/null | head -c 1000 > /dev/null; echo ${{PIPESTATUS[0]}}'");
        Assert.Equal("5", ended.Trim()); // The pipe broke: failed, and it runs here.
        await peers.Source.ShellAsync($"{MigrationPeers.Program} checkpoint {WitnessContainer.Name} -o - --leave-running | cat > {Archive}");

        Testimony after = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));
        Assert.Equal(before.Nonce, after.Nonce);
        Assert.Empty((await WitnessContainer.AskAsync(peers.Source, "check"))!.Wrong);
        File.Copy(peers.Source.PlainPathOf(Archive), peers.Target.PlainPathOf(Archive));
        await peers.Target.ShellAsync($"cat {Archive} | {MigrationPeers.Program} restore -");
        Assert.Equal(before.Nonce, (await WitnessContainer.WaitAsync(peers.Target, TimeSpan.FromSeconds(5))).Nonce);
    }

    /// <summary>A bit in the middle: refused with what to think of it, and nothing of the container is there.</summary>
    private static async Task AssertDamageIsRefusedAsync(VirtualHost host)
    {
        const string Damaged = "/data/damaged.p2pm";
        byte[] archive = await File.ReadAllBytesAsync(host.PlainPathOf(Archive));
        archive[archive.Length / 2] ^= 4;
        await File.WriteAllBytesAsync(host.PlainPathOf(Damaged), archive);
        string refused = await ExpectAsync(host, 8, "restore", Damaged, "--json");
        Assert.Contains("The archive is damaged", refused, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(host.PathOf("/var/lib/p2pmigrate/containers")));
    }

    private static async Task<string> ExpectAsync(VirtualHost host, int code, params string[] arguments)
    {
        CommandResult result = await host.RunAsync(MigrationPeers.Program, arguments);
        Assert.True(result.ExitCode == code, $"{result.ExitCode}: {result.Output}{result.Error}");
        return result.Output + result.Error;
    }
}
