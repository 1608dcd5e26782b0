using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>What the two machines keep of a migration, and what a container that comes back sends.</summary>
public sealed class ReturnTests
{
    private const int FileLength = 200_000;
    private const int Files = 60;

    /// <summary>Memory of the container, half of it noise, with room for manifests and messages.</summary>
    private const long BesideFiles = (600 / 2 * 4096) + 1_000_000;

    [Fact]
    [Trait("Spec", "MIG-140")]
    public async Task A_container_that_comes_back_brings_only_what_changed()
    {
        await using var rig = new MigrationRig();
        Furnish(rig);
        Assert.True(await TripAsync(rig) > Files * FileLength);

        for (int trip = 0; trip < 3; trip++)
        {
            rig.Turn();
            Change(rig, trip, 3);
            Assert.InRange(await TripAsync(rig), 3 * FileLength, BesideFiles + (3 * FileLength));
        }
    }

    [Fact]
    [Trait("Spec", "MIG-142")]
    public async Task What_is_spoiled_in_the_store_is_found_and_sent_again()
    {
        await using var rig = new MigrationRig();
        Furnish(rig);
        await TripAsync(rig);
        rig.Turn();
        int spoiled = Spoil(rig.Target, every: 3_000_000);

        long sent = await TripAsync(rig);

        Assert.InRange(spoiled, 3, 6);
        Assert.InRange(sent, spoiled * 60_000, BesideFiles + (spoiled * 140_000));
        Assert.Contains(rig.Log, line => line.Contains($"Spoiled chunks in the store: {spoiled}", StringComparison.Ordinal));
    }

    /// <summary>The frozen container comes back to what the target knows, in the moment in which its disk forgets it.</summary>
    [Fact]
    [Trait("Spec", "MIG-142")]
    public async Task What_is_spoiled_under_the_freeze_is_sent_again_too()
    {
        await using var rig = new MigrationRig();
        Furnish(rig);
        await TripAsync(rig);
        rig.Turn();
        rig.AtStep = step =>
        {
            if (step.EndsWith(":freeze", StringComparison.Ordinal))
                File.Copy(Noise(rig, 0), Path.Combine(rig.SourceCopy!.Root, "var/late"));
            if (step.EndsWith(":frozen", StringComparison.Ordinal))
                Spoil(rig.Target, every: 1000);
            return Task.CompletedTask;
        };

        Assert.InRange(await TripAsync(rig), 0, BesideFiles + FileLength);

        Assert.Contains(rig.Log, line => line.Contains("Spoiled chunks in the store: 2", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3_000_000)]
    [Trait("Spec", "MIG-141")]
    public async Task Neither_side_keeps_more_than_it_was_told(long size)
    {
        await using var rig = new MigrationRig(size);
        Furnish(rig);
        for (int trip = 0; trip < 2; trip++)
        {
            Assert.True(await TripAsync(rig) > Files * FileLength);
            Assert.All(new[] { rig.Source, rig.Target }, agent => Assert.InRange(Kept(agent), 0, size));
            rig.Turn();
        }
    }

    [Fact]
    [Trait("Spec", "MIG-140")]
    public async Task A_source_whose_store_cannot_be_written_migrates_all_the_same()
    {
        await using var rig = new MigrationRig();
        rig.Source.Environment.State.Create();
        Directory.Delete(rig.Source.Environment.State.Chunks);
        rig.AtStep = step =>
        {
            if (step == "source:describe") // the state directory was made by then
            {
                Directory.Delete(rig.Source.Environment.State.Chunks, recursive: true);
                File.WriteAllText(rig.Source.Environment.State.Chunks, "no directory");
            }

            return Task.CompletedTask;
        };

        rig.Completed((await rig.RunAsync()).Sent);

        Assert.Contains(rig.Log, line => line.Contains("What is sent is not kept", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Spec", "SNAP-106")]
    public async Task Two_migrations_at_once_share_a_store_also_from_two_processes(bool isOneProcess)
    {
        await using var rig = new MigrationRig();
        Furnish(rig);
        SimulatedContainer other = rig.Source.Runtime.Machine.StartNew("other");
        Furnish(other.Root);
        (InMemorySession near, InMemorySession far) = InMemorySession.CreatePair();
        MigrationEnvironment target = isOneProcess ? rig.Target.Environment
            : rig.Target.Environment with { State = new StateDirectory(rig.Target.Environment.State.Root) };
        Task<ReceiveOutcome> receiving = Task.Run(() => new TargetRunner(target).ReceiveAsync(
            far, new ReceiveOptions { PeerName = "one", AdmitAsync = _ => ValueTask.FromResult<string?>(null) }));
        Task<MigrationOutcome> sending = Task.Run(async () => await new SourceRunner(rig.Source.Environment).SendAsync(
            near, await rig.Source.Runtime.InspectAsync("other", null, default), new SendOptions { PeerName = "two" }));

        await TripAsync(rig, isAlone: false);

        rig.Completed(await sending);
        await near.CloseAsync(0, "done");
        Assert.Equal(ReceiveEnd.Completed, (await receiving).End);
        Assert.Empty(rig.Leftovers());
        Assert.Empty(Manifest.Compare(MigrationRig.ManifestOf(other.Root), MigrationRig.ManifestOf(rig.Target.Runtime.Machine.Find("other")!.Root)));
    }

    /// <summary>The content is at the target, and the peer is one who could only know its name.</summary>
    [Fact]
    [Trait("Spec", "SNAP-105")]
    public async Task What_one_peer_sent_is_not_confirmed_to_another()
    {
        await using var rig = new MigrationRig();
        Furnish(rig);
        rig.AtStep = step =>
        {
            if (step == "target:restore")
                throw new ContainerException("not this time");
            return Task.CompletedTask;
        };
        Assert.IsType<MigrationFailed>((await rig.RunAsync()).Sent);
        rig.AtStep = null;
        rig.Reconnect();
        Task<ReceiveOutcome> receiving = Task.Run(() => new TargetRunner(rig.Target.Environment).ReceiveAsync(
            rig.Far, new ReceiveOptions { PeerName = "three", AdmitAsync = _ => ValueTask.FromResult<string?>(null) }));

        MigrationCompleted completed = rig.Completed(await new SourceRunner(rig.Source.Environment).SendAsync(
            rig.Near, await rig.Source.Runtime.InspectAsync("web", null, default), new SendOptions { PeerName = "two" }));

        await rig.Near.CloseAsync(0, "done");
        Assert.Equal(ReceiveEnd.Completed, (await receiving).End);
        Assert.True(completed.BytesSent > Files * FileLength, $"{completed.BytesSent} bytes");
    }

    [Fact]
    [Trait("Spec", "MIG-140")]
    public async Task What_a_failed_migration_brought_is_not_sent_again()
    {
        await using var rig = new MigrationRig();
        Furnish(rig);
        rig.AtStep = step => step == "target:restore" ? throw new ContainerException("not this time") : Task.CompletedTask;
        Assert.IsType<MigrationFailed>((await rig.RunAsync()).Sent);
        rig.AtStep = null;
        rig.Reconnect();

        Assert.InRange(await TripAsync(rig), 0, BesideFiles);
    }

    [Fact]
    [Trait("Spec", "MIG-141")]
    public async Task A_store_makes_room_rather_than_have_a_job_refused()
    {
        await using var rig = new MigrationRig();
        Furnish(rig);
        await TripAsync(rig);
        long kept = Kept(rig.Target);
        Assert.True(kept > Files * FileLength);

        rig.Target.Environment.State.ChunkStore.MakeRoom(kept / 2);

        Assert.Equal(0, Kept(rig.Target)); // one pack is what goes at once
        Assert.True(Kept(rig.Source) > 0);
    }

    /// <summary>Moves the container; what arrived is what was frozen. Returns the bytes that were sent.</summary>
    private static async Task<long> TripAsync(MigrationRig rig, bool isAlone = true)
    {
        Manifest? frozen = null;
        Func<string, Task>? also = rig.AtStep;
        rig.AtStep = async step =>
        {
            // Another container's step may come when this one has gone.
            if ((step is "source:journal:Committed" or "target:journal:Committed") && rig.SourceCopy is { } copy)
                frozen = MigrationRig.ManifestOf(copy.Root);
            await (also?.Invoke(step) ?? Task.CompletedTask);
        };
        (MigrationOutcome sent, ReceiveOutcome received) = await rig.RunAsync();
        rig.AtStep = also;
        MigrationCompleted completed = rig.Completed(sent);
        Assert.Equal(ReceiveEnd.Completed, received.End);
        Assert.Empty(Manifest.Compare(frozen!, MigrationRig.ManifestOf(rig.TargetCopy!.Root)));
        Assert.True(!isAlone || !rig.Leftovers().Any(), string.Join(", ", rig.Leftovers()));
        TestContext.Current.TestOutputHelper!.WriteLine($"{completed.BytesSent} bytes");
        return completed.BytesSent;
    }

    private static void Furnish(MigrationRig rig) => Furnish(rig.SourceCopy!.Root);

    private static void Furnish(string root)
    {
        for (int file = 0; file < Files; file++)
            File.WriteAllBytes(Path.Combine(root, $"var/noise-{file}"), Bytes(seed: file));
    }

    private static void Change(MigrationRig rig, int trip, int files)
    {
        for (int file = 0; file < files; file++)
            File.WriteAllBytes(Noise(rig, file), Bytes(seed: 1000 + (trip * 100) + file));
    }

    private static string Noise(MigrationRig rig, int file) => Path.Combine(rig.SourceCopy!.Root, $"var/noise-{file}");

    private static byte[] Bytes(int seed)
    {
        byte[] bytes = new byte[FileLength];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static long Kept(MigrationRig.Agent agent) => ChunkPackFiles.Measure(agent.Environment.State.Chunks);

    /// <summary>Changes one byte of the content in each stretch of so many bytes; returns how many.</summary>
    private static int Spoil(MigrationRig.Agent agent, int every)
    {
        int spoiled = 0;
        foreach (string path in Directory.EnumerateFiles(agent.Environment.State.Chunks, "*.data", SearchOption.AllDirectories))
        {
            byte[] bytes = File.ReadAllBytes(path);
            for (int offset = every / 2; offset < bytes.Length; offset += every, spoiled++)
                bytes[offset] ^= 1;
            File.WriteAllBytes(path, bytes);
        }

        return spoiled;
    }
}
