using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using P2PMigrate.Lab;
using P2PMigrate.MigrationBench.Contenders;
using P2PMigrate.MigrationBench.Ground;

namespace P2PMigrate.MigrationBench;

/// <summary>
/// The first copy of a root file system beside <c>rsync -aHAX</c> over ssh: the time of both on one link, and the bytes beside those of <c>rsync -z</c>. Bytes are those that left the source's network interface, with all
/// headers, by the kernel's count, for both. Ours carries the container's memory too and is on the target's disk at its end; neither is taken off, but for a column that says what there was beside memory ahead of the freeze. Hosts of its own for each round, all files read once before.
/// </summary>
/// <remarks>Nothing is removed between the three: ext4 passes over inodes that were deleted in the last minutes one by one, and whoever comes next would pay for that.</remarks>
internal sealed partial class FirstCopy(string link, string tree, TextWriter log)
{
    private const string Workload = "idle";

    /// <summary>Measures <paramref name="runs"/> times and returns the table.</summary>
    public async Task<string> RunAsync(int runs, CancellationToken cancellationToken)
    {
        var rounds = new List<Round>();
        for (int run = 0; run < runs; run++)
        {
            rounds.Add(await MeasureAsync(run, cancellationToken));
            await log.WriteLineAsync($"{run + 1}: {rounds[^1]}");
        }

        return Table(rounds);
    }

    private async Task<Round> MeasureAsync(int run, CancellationToken cancellationToken)
    {
        await using TwoHosts hosts = await TwoHosts.RaiseAsync(
            link, seed: (ulong)run + 1, [new BindMount(OurProgram.Directory, OurProgram.InHost, ReadOnly: true)], [], cancellationToken);
        await hosts.StartAsync(new WorkloadText(Workload), cancellationToken);
        string root = hosts.Source.PlainPathOf(TwoHosts.Bundle + "/rootfs");
        await hosts.Ground.ShellAsync($"cp -a {tree} {root}/tree; tar cf - -C {root} . | wc -c; sync -f {root}", cancellationToken);
        (double seconds, _, _) = await RsyncAsync(hosts, "-aHAX", cancellationToken);
        (_, double pressed, double said) = await RsyncAsync(hosts, "-aHAXz", cancellationToken);
        (double ours, double wire, double memory) = await OursAsync(hosts, cancellationToken);
        return new Round(seconds, ours, said, pressed, wire, memory);
    }

    private static async Task<(double Seconds, double Bytes, double Said)> RsyncAsync(TwoHosts hosts, string options, CancellationToken cancellationToken)
    {
        await using SshBetween ssh = await SshBetween.RaiseAsync(hosts, cancellationToken);
        string there = hosts.Target.PlainPathOf("/data/rsync" + options);
        double before = await LeftAsync(hosts, cancellationToken);
        var clock = Stopwatch.StartNew();
        string said = await ssh.InSourceAsync(
            $"rsync {options} --numeric-ids --stats -e '{ssh.Shell}' {hosts.Source.PlainPathOf(TwoHosts.Bundle)}/rootfs/ {SshBetween.Target}:{there}/", cancellationToken);
        double seconds = clock.Elapsed.TotalSeconds;
        await hosts.Ground.ShellAsync("sync", cancellationToken);
        Match sent = Sent().Match(said);
        return sent.Success
            ? (seconds, await LeftAsync(hosts, cancellationToken) - before, double.Parse(sent.Groups[1].Value.Replace(",", "", StringComparison.Ordinal), CultureInfo.InvariantCulture))
            : throw new LabException($"rsync did not say what it sent: {said}");
    }

    /// <summary>What has left the source's interface so far.</summary>
    private static async Task<double> LeftAsync(TwoHosts hosts, CancellationToken cancellationToken) =>
        double.Parse(await hosts.Source.ShellAsync("cat /sys/class/net/wan0/statistics/tx_bytes", cancellationToken), CultureInfo.InvariantCulture);

    private static async Task<(double Seconds, double Bytes, double Memory)> OursAsync(TwoHosts hosts, CancellationToken cancellationToken)
    {
        double before = await LeftAsync(hosts, cancellationToken);
        CommandResult end = await OurProgram.MigrateAsync(hosts, [], cancellationToken);
        JsonElement[] events = [.. end.Output.Split('\n').Where(line => line.Length > 0).Select(line => JsonDocument.Parse(line).RootElement)];
        JsonElement copied = events.First(line => line.GetProperty("event").GetString() == "phaseFinished" && line.GetProperty("phase").GetString() == "copying");
        double memory = events.Where(line => line.GetProperty("event").GetString() == "round").Sum(line => line.GetProperty("wireBytes").GetDouble());
        return (copied.GetProperty("ms").GetDouble() / 1000, await LeftAsync(hosts, cancellationToken) - before, memory);
    }

    private string Table(List<Round> rounds) => string.Join('\n',
    [
        $"**{link}: the base image and {tree}**", "",
        "| round | rsync -aHAX over ssh | first copy | ratio | rsync -z, by its word | rsync -z, left the interface | the whole migration, the same | ratio | without memory ahead of the freeze | ratio |", "|---|---|---|---|---|---|---|---|---|---|",
        .. rounds.Select((round, index) => string.Create(CultureInfo.InvariantCulture,
            $"| {index + 1} | {round.RsyncSeconds:0.0} s | {round.OurSeconds:0.0} s | {round.OurSeconds / round.RsyncSeconds:0.00} | {round.SaidBytes / 1e6:0.0} MB | {round.PressedBytes / 1e6:0.0} MB | {round.WireBytes / 1e6:0.0} MB | {round.WireBytes / round.PressedBytes:0.00} | {(round.WireBytes - round.MemoryBytes) / 1e6:0.0} MB | {(round.WireBytes - round.MemoryBytes) / round.PressedBytes:0.00} |")),
        "",
    ]);

    [GeneratedRegex(@"Total bytes sent: ([\d,]+)")]
    private static partial Regex Sent();

    private sealed record Round(double RsyncSeconds, double OurSeconds, double SaidBytes, double PressedBytes, double WireBytes, double MemoryBytes);
}
