using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using P2PMigrate.Agent.Commands;
using P2PMigrate.Agent.Places;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Snapshot.Trees;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Tests.Places;

/// <summary>The content of a container in a bucket of a real server, sealed; and the shipped program, which takes it out.</summary>
[Collection("Ceph")]
public sealed class SealedBucketTests(CephServer server) : IDisposable
{
    private const int Files = 40, FileLength = 1 << 20;

    private static readonly string s_program = Path.Combine(MigrationPeers.Agents, "p2pmigrate");

    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-bucket-").FullName;
    private readonly PrivateIdentity _source = PrivateIdentity.Create(CryptographicEntropy.Instance);
    private readonly ContainerName _web = StageChoice.NameOf("web");
    private string _directoryOfState = "state";
    private string _secret = "testsecret";

    public void Dispose()
    {
        _source.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    [Trait("Spec", "DEP-11")]
    public async Task A_push_that_was_cut_in_the_middle_goes_on_without_sending_anything_twice()
    {
        S3Location location = await server.MakeBucketAsync();
        using PrivateIdentity target = PrivateIdentity.Create(CryptographicEntropy.Instance);
        MakeFiles();
        using var cut = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PushAsync(location, target.Public, moved =>
        {
            if (moved >= Files / 2 * FileLength)
                cut.Cancel();
        }, cut.Token));

        (long pushed, long known) = await PushAsync(location, target.Public, _ => { }, default);
        Assert.Equal((long)Files * FileLength, pushed + known);
        Assert.InRange(known, FileLength, Files / 2 * FileLength + FileLength);
        Assert.Equal((0, (long)Files * FileLength), await PushAsync(location, target.Public, _ => { }, default));

        using var bucket = new S3ObjectStore(location);
        long stored = 0;
        foreach (string name in await bucket.ListAsync("web/content/", default))
            stored += (await bucket.TryReadAsync(name, default))!.Length;
        Assert.InRange(stored, (long)Files * FileLength, (long)Files * FileLength * 11 / 10);
    }

    [Fact]
    [Trait("Spec", "DEP-37")]
    public async Task The_program_pulls_what_was_sealed_for_it_and_says_why_it_cannot_pull_the_rest()
    {
        S3Location location = await server.MakeBucketAsync();
        Assert.SkipUnless(File.Exists(s_program), "The program was not published; bench/publish does that.");
        (int code, string key) = await RunAsync("id", "--key");
        Assert.Equal(0, code);
        string[] pull = ["pull", "web", location.Place, "--from", _source.PeerId.ToString(), "--json"];

        (code, string told) = await RunAsync(pull);
        Assert.Contains($"There is nothing sealed in {location.Place}/web", told);

        MakeFiles();
        await PushAsync(location, SealChoice.KeyOf(key), _ => { }, default);
        (code, told) = await RunAsync(pull);
        Assert.True(code == 0, told);
        JsonElement pulled = JsonDocument.Parse(told.Split('\n')[^1]).RootElement;
        Assert.Equal(("pulled", (long)Files * FileLength), (pulled.GetProperty("event").GetString(), pulled.GetProperty("pulledBytes").GetInt64()));

        (code, told) = await RunAsync(["pull", "web", location.Place, "--from", SealChoice.KeyOf(key).PeerId.ToString()]);
        Assert.Contains($"was sealed by {_source.PeerId}", told);

        _directoryOfState = "other";
        (code, told) = await RunAsync(pull);
        Assert.Equal(3, code);
        Assert.Contains("was not sealed for this machine", told);
    }

    [Fact]
    [Trait("Spec", "DEP-44")]
    public async Task The_program_says_what_is_wrong_with_a_bucket()
    {
        S3Location location = await server.MakeBucketAsync();
        Assert.SkipUnless(File.Exists(s_program), "The program was not published; bench/publish does that.");
        string[] From(string place) => ["pull", "web", place, "--from", _source.PeerId.ToString()];
        (int code, string told) = await RunAsync(From("s3://no-such-bucket"));
        Assert.Equal((2, true), (code, told.Contains("There is no bucket no-such-bucket", StringComparison.Ordinal)));

        _secret = "wrong";
        (code, told) = await RunAsync(From(location.Place));
        Assert.Equal((2, true), (code, told.Contains("Mend AWS_SECRET_ACCESS_KEY", StringComparison.Ordinal)));

        _secret = "";
        (code, told) = await RunAsync(From(location.Place));
        Assert.Equal((2, true), (code, told.Contains("AWS_SECRET_ACCESS_KEY is not set", StringComparison.Ordinal)));
    }

    private void MakeFiles()
    {
        string root = Directory.CreateDirectory(Path.Combine(_directory, "root")).FullName;
        for (int number = 0; number < Files; number++)
            File.WriteAllBytes(Path.Combine(root, $"file-{number:d2}"), RandomNumberGenerator.GetBytes(FileLength));
    }

    private async Task<(long Pushed, long Known)> PushAsync(S3Location location, PublicIdentity reader, Action<long> moved, CancellationToken cancellationToken)
    {
        using var bucket = new S3ObjectStore(location);
        using SealedObjectStore depot = await SealedObjectStore.CreateAsync(bucket, _web, _source, [reader], cancellationToken);
        TransferMeter? meter = null;
        meter = new TransferMeter(() => moved(meter!.Content));
        using var push = new ContentPush(new Depot(depot, _web), new TreeLocation(Path.Combine(_directory, "root")), meter);
        await push.RunAsync(cancellationToken);
        return (push.PushedBytes, push.KnownBytes);
    }

    private async Task<(int Code, string Told)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(s_program, [.. arguments, "--state-dir", Path.Combine(_directory, _directoryOfState)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string? value) in CephServer.EnvironmentOf(server.Endpoint))
            start.Environment[name] = value;
        start.Environment["AWS_SECRET_ACCESS_KEY"] = _secret;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, (await errors + output).Trim());
    }
}

/// <summary>One server for all classes that need one.</summary>
[CollectionDefinition("Ceph")]
public sealed class CephCollection : ICollectionFixture<CephServer>;
