using System.Text;
using System.Text.Json;
using P2PMigrate.Agent.Commands;
using P2PMigrate.Agent.Places;
using P2PMigrate.Agent.State;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.Tests.Places;

/// <summary>A container moves, by the shipped program and real CRIU, through a bucket that neither machine trusts.</summary>
[Collection("Ceph")]
public sealed class SealedMigrationTests(CephServer server)
{
    private const int FilesMegabytes = 48, HoldsAt = 36_000_000, PackAndRecord = 9 * 1024 * 1024;
    private const string State = "/var/lib/p2pmigrate";

    private static readonly ContainerName s_name = StageChoice.NameOf(WitnessContainer.Name);

    private string _place = "";

    // What a user of each host has in the environment.
    private readonly Dictionary<VirtualHost, IReadOnlyDictionary<string, string>> _environments = [];

    [Fact]
    [Trait("Spec", "DEP-11")]
    [Trait("Spec", "DEP-35")]
    [Trait("Spec", "DEP-37")]
    [Trait("Spec", "DEP-38")]
    public async Task A_container_moves_sealed_through_a_bucket_after_a_push_that_was_cut_in_the_middle()
    {
        S3Location location = await server.MakeBucketAsync();
        _place = location.Place;
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 8, FilesMegabytes);
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, TimeSpan.FromSeconds(5));
        string key = await RunAsync(peers.Target, 0, "id", "--key"), source = await RunAsync(peers.Source, 0, "id");
        using var bucket = new S3ObjectStore(location);

        await using WayOut sourceWay = new(peers.Source, server.Endpoint), targetWay = new(peers.Target, server.Endpoint);
        _environments[peers.Source] = sourceWay.Environment;
        _environments[peers.Target] = targetWay.Environment;

        Assert.Contains("next stage is prepare-data", await StageAsync(peers.Source, 2, "create-dump", "--for", key), StringComparison.Ordinal);
        Assert.Contains("add --for KEY", await StageAsync(peers.Source, 2, "prepare-data"), StringComparison.Ordinal);
        Assert.Empty(await bucket.ListAsync("", default));
        await PushInTwoAsync(peers.Source, sourceWay, key, bucket);

        Assert.Contains($"type the same with --from {source}", await StageAsync(peers.Target, 2, "import-data"), StringComparison.Ordinal);
        Assert.Contains("not by the peer that --from names", await StageAsync(peers.Target, 2, "import-data", "--from", SealChoice.KeyOf(key).PeerId.ToString()), StringComparison.Ordinal);
        string pack = (await bucket.ListAsync($"{s_name}/content/", default))[0];
        await WithFlippedAsync(bucket, pack, async () =>
            Assert.Contains($"{pack} in {_place} does not open", await StageAsync(peers.Target, 3, "import-data", "--from", source), StringComparison.Ordinal));
        await StageAsync(peers.Target, 0, "import-data", "--from", source);

        Assert.Contains($"-s restore-dump -d {_place} --from {source}", await StageAsync(peers.Source, 0, "create-dump", "--for", key), StringComparison.Ordinal);
        Assert.Null(await WitnessContainer.AskAsync(peers.Source));
        await EveryFlippedBitIsRefusedAsync(peers, bucket, key);
        string part = (await bucket.ListAsync($"{s_name}/dump/", default))[0];
        await WithFlippedAsync(bucket, part, async () =>
            Assert.Contains($"{part} in {_place} does not open", await StageAsync(peers.Target, 8, "restore-dump", "--from", source), StringComparison.Ordinal));
        await StageAsync(peers.Target, 0, "restore-dump", "--from", source);

        Testimony after = await WitnessContainer.WaitAsync(peers.Target, TimeSpan.FromSeconds(5));
        Assert.Equal(before.Nonce, after.Nonce);
        Assert.Empty((await WitnessContainer.AskAsync(peers.Target, "check"))!.Wrong);
        Assert.Contains("the target has taken its dump", await RunAsync(peers.Source, 6, "migrate", WitnessContainer.Name, "-s", "unfreeze"), StringComparison.Ordinal);
    }

    /// <summary>The link stops in the middle of a push, which somebody then ends; the next one sends the rest, and one more nothing.</summary>
    private async Task PushInTwoAsync(VirtualHost source, WayOut way, string key, S3ObjectStore bucket)
    {
        await using var cut = new WayOut(source, server.Endpoint) { HoldsAt = HoldsAt };
        await using (LabProcess first = await source.StartAsync(new NodeCommand(MigrationPeers.Program, PushOf(key)) { Environment = cut.Environment }))
        {
            await cut.Held.WaitAsync(TimeSpan.FromSeconds(60));
            first.Signal(UnixSignal.Interrupt);
            Assert.Equal(5, await first.WaitForExitAsync());
        }

        Assert.DoesNotContain(await PacksAsync(bucket), content => content == 0);
        long before = way.SentBytes;
        JsonElement pushed = JsonDocument.Parse((await RunAsync(source, 0, PushOf(key))).Split('\n')[^1]).RootElement;
        long stored = (await PacksAsync(bucket)).Sum(), sent = way.SentBytes - before;
        Assert.InRange(HoldsAt, stored * 0.3, stored * 0.7);
        Assert.InRange(cut.SentBytes + sent, stored, stored * 1.01 + PackAndRecord);
        Assert.True(pushed.GetProperty("knownBytes").GetInt64() > 0);

        await RunAsync(source, 0, PushOf(key));
        Assert.InRange(way.SentBytes - before - sent, 1, stored / 100);
    }

    /// <summary>Any bit of any object; and none of them shows what is in the container.</summary>
    private static async Task EveryFlippedBitIsRefusedAsync(MigrationPeers peers, S3ObjectStore bucket, string key)
    {
        using PrivateIdentity source = IdentityFile.LoadOrCreate(peers.Source.PathOf(State)), target = IdentityFile.LoadOrCreate(peers.Target.PathOf(State));
        IReadOnlyList<string> names = await bucket.ListAsync($"{s_name}/", default);
        Assert.Equal(["content", "dump", "index", "keys"], names.Select(name => name.Split('/')[1]).Distinct());
        foreach (string name in names)
        {
            Assert.Equal(-1, (await bucket.TryReadAsync(name, default))!.AsSpan().IndexOf(Encoding.ASCII.GetBytes(WitnessContainer.Marker)));
            var place = new FlippingPlace(bucket, name);
            MigrationException refused = await Assert.ThrowsAsync<MigrationException>(async () =>
            {
                if (name.EndsWith("/keys/owner", StringComparison.Ordinal))
                    await SealedObjectStore.CreateAsync(place, s_name, source, [SealChoice.KeyOf(key)], default);
                using SealedObjectStore depot = await SealedObjectStore.OpenAsync(place, s_name, target, default);
                await depot.TryReadAsync(name, default);
            });
            Assert.Contains(name.Split('/')[^1], refused.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>While something is done, an object has a bit that it should not have.</summary>
    private static async Task WithFlippedAsync(S3ObjectStore bucket, string name, Func<Task> action)
    {
        byte[] whole = (await bucket.TryReadAsync(name, default))!;
        await ReplaceAsync(FlippingPlace.Flip(whole));
        await action();
        await ReplaceAsync(whole);

        async Task ReplaceAsync(byte[] content)
        {
            await bucket.DeleteAsync(name, default);
            Assert.True(await bucket.TryCreateAsync(name, content, default));
        }
    }

    private static async Task<IReadOnlyList<long>> PacksAsync(S3ObjectStore bucket)
    {
        var lengths = new List<long>();
        foreach (string name in await bucket.ListAsync($"{s_name}/content/", default))
            lengths.Add((await bucket.TryReadAsync(name, default))!.Length);
        return lengths;
    }

    private string[] PushOf(string key) => ["push", WitnessContainer.Name, _place, "--for", key, "--json"];

    private Task<string> StageAsync(VirtualHost host, int code, string stage, params string[] options) =>
        RunAsync(host, code, ["migrate", WitnessContainer.Name, "-s", stage, "-d", _place, .. options]);

    private async Task<string> RunAsync(VirtualHost host, int code, params string[] arguments)
    {
        CommandResult result = await host.RunAsync(new NodeCommand(MigrationPeers.Program, arguments) { Environment = _environments.GetValueOrDefault(host, new Dictionary<string, string>()) });
        Assert.True(result.ExitCode == code, $"{string.Join(' ', arguments)} ended with {result.ExitCode}: {result.Output}{result.Error}");
        return (result.Output + result.Error).Trim();
    }
}
