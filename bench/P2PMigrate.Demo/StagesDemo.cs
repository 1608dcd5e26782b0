using System.Globalization;
using P2PMigrate.Lab;

namespace P2PMigrate.Demo;

/// <summary>
/// The original draft's scenario by its own command lines: data first, while redis runs; then the dump, from which on it is frozen; a restore that fails and is taken back; and one that succeeds.
/// Between the machines is nothing but a directory.
/// </summary>
internal sealed class StagesDemo(DemoOptions options)
{
    private const string AgentInHost = "/opt/p2pmigrate/p2pmigrate";
    private const string Between = "/mnt/between";

    private readonly Stage _stage = new();
    private bool _holds = true;

    /// <summary>Plays it; true when every command ended as it should and the proof holds.</summary>
    public async Task<bool> RunAsync()
    {
        DirectoryInfo between = Directory.CreateTempSubdirectory("p2pmigrate-between-");
        try
        {
            return await PlayAsync(between.FullName).ConfigureAwait(false);
        }
        finally
        {
            between.Delete(recursive: true);
        }
    }

    private async Task<bool> PlayAsync(string between)
    {
        _stage.Act($"Raising the lab: two hosts that both see one directory, {Between}");
        await using VirtualLab lab = await VirtualLab.RaiseAsync(new LabOptions
        {
            SourceNat = options.Nat,
            TargetNat = options.Nat,
            Binds = [new BindMount(Path.GetFullPath(options.AgentDirectory), "/opt/p2pmigrate", ReadOnly: true), new BindMount(between, Between)],
        }).ConfigureAwait(false);
        _stage.Act($"Starting redis-server in a runc container on the source, {options.Keys.ToString("N0", CultureInfo.InvariantCulture)} keys");
        var redis = new RedisContainer(lab.Source, lab.Target);
        await redis.StartAsync().ConfigureAwait(false);
        redis.Fill(options.Keys);
        RedisFacts before = redis.Facts(redis.SourceDoor, options.Keys);

        await PrepareAsync(lab).ConfigureAwait(false);
        await FailAsync(lab).ConfigureAwait(false);
        Claim("came back", redis.Facts(redis.SourceDoor, options.Keys) is { } back && (back.RunId, back.Digest) == (before.RunId, before.Digest), "the same process answers at the source, with all its keys");
        await MoveAsync(lab).ConfigureAwait(false);
        RedisFacts after = redis.Facts(redis.TargetDoor, options.Keys);

        _stage.Act("Proof");
        Claim("same process", after.RunId == before.RunId, $"run id {before.RunId[..12]}… before and after");
        Claim("same uptime", after.UptimeSeconds >= before.UptimeSeconds, $"{before.UptimeSeconds} s before, {after.UptimeSeconds} s after");
        Claim("all keys", (after.KeyCount, after.Digest) == (before.KeyCount, before.Digest), $"{after.KeyCount.ToString("N0", CultureInfo.InvariantCulture)} keys, digest of all values {after.Digest[..12]}…");
        string left = (await lab.Source.ShellAsync("runc list -q").ConfigureAwait(false)).Trim();
        Claim("old copy is gone", left.Length == 0, $"runc list on the source: {(left.Length == 0 ? "empty" : left)}");
        return _holds;
    }

    private async Task PrepareAsync(VirtualLab lab)
    {
        _stage.Act("1  Can both machines do it?");
        await TypeAsync(lab.Source, "source", 0, $"check {RedisContainer.Name}").ConfigureAwait(false);
        await TypeAsync(lab.Target, "target", 0, "check").ConfigureAwait(false);
        _stage.Act("2  Its files, while it runs");
        await TypeAsync(lab.Source, "source", 0, Migrate("prepare-data")).ConfigureAwait(false);
        _stage.Act("3  Taken in at the target; nothing runs there");
        await TypeAsync(lab.Target, "target", 0, Migrate("import-data")).ConfigureAwait(false);
    }

    private async Task FailAsync(VirtualLab lab)
    {
        _stage.Act("4  Frozen, its memory and what has changed since");
        await TypeAsync(lab.Source, "source", 0, Migrate("create-dump")).ConfigureAwait(false);
        _stage.Act("5  A restore that fails: somebody has taken CRIU away from the target");
        await lab.Target.ShellAsync("mv /usr/sbin/criu /usr/sbin/criu-away").ConfigureAwait(false);
        await TypeAsync(lab.Target, "target", 8, Migrate("restore-dump")).ConfigureAwait(false);
        await lab.Target.ShellAsync("mv /usr/sbin/criu-away /usr/sbin/criu").ConfigureAwait(false);
        await TypeAsync(lab.Source, "source", 0, $"migrate {RedisContainer.Name} -s unfreeze").ConfigureAwait(false);
    }

    private async Task MoveAsync(VirtualLab lab)
    {
        _stage.Act("6  Once more, and now it works");
        string dumped = await TypeAsync(lab.Source, "source", 0, Migrate("create-dump")).ConfigureAwait(false);
        await TypeAsync(lab.Target, "target", 0, Migrate("restore-dump")).ConfigureAwait(false);
        _stage.Act("7  The frozen copy is ended");
        string last = dumped.Split('\n').First(line => line.Contains("--keep target", StringComparison.Ordinal)).Split("p2pmigrate ")[1];
        await TypeAsync(lab.Source, "source", 0, last).ConfigureAwait(false);
    }

    private static string Migrate(string stage) => $"migrate {RedisContainer.Name} -s {stage} -d {Between}";

    /// <summary>Types a command on a host and shows what it prints.</summary>
    private async Task<string> TypeAsync(VirtualHost host, string name, int code, string command)
    {
        _stage.Line($"  {name}# p2pmigrate {command}");
        CommandResult result = await host.RunAsync(AgentInHost, command.Split(' ')).ConfigureAwait(false);
        foreach (string line in (result.Error + result.Output).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            _stage.Line($"    {line}");
        if (result.ExitCode != code)
            Claim(command, false, $"ended with {result.ExitCode} where {code} was due");
        return result.Output;
    }

    private void Claim(string claim, bool holds, string seen)
    {
        _holds &= holds;
        _stage.Line($"  {(holds ? "yes" : "NO ")}  {claim,-18} {seen}");
    }
}
