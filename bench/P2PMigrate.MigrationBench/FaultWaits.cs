using System.Globalization;
using P2PMigrate.Lab;
using P2PMigrate.MigrationBench.Contenders;
using P2PMigrate.MigrationBench.Ground;

namespace P2PMigrate.MigrationBench;

/// <summary>
/// A container that runs before its memory has come, and reads pages of it all the time while the rest follows: how long it waits for a page that is not there yet. It measures that itself.
/// </summary>
internal sealed class FaultWaits(string link, string workload, string[] options, TextWriter log)
{
    private const string Noted = "/var/lib/p2pmigrate/containers/" + TwoHosts.Container + "/rootfs/waits";

    /// <summary>Moves it <paramref name="runs"/> times, each time between hosts of its own, and returns the table.</summary>
    public async Task<string> RunAsync(int runs, CancellationToken cancellationToken)
    {
        var waits = new List<Waits>();
        for (int run = 0; run < runs; run++)
        {
            waits.Add(await MoveAsync((ulong)run + 1, cancellationToken));
            await log.WriteLineAsync($"{run + 1}: {waits[^1]}");
        }

        double[] medians = [.. waits.Select(wait => wait.Median).Order()];
        return string.Join('\n',
        [
            $"**{link}: {workload}, migrate {string.Join(' ', options)}**", "", "| run | pages waited for | median wait | 99 % | all of it followed within |", "|---|---|---|---|---|",
            .. waits.Select((wait, index) => string.Create(CultureInfo.InvariantCulture, $"| {index + 1} | {wait.Count} | {wait.Median:0.0} ms | {wait.Most:0.0} ms | {wait.Total.TotalSeconds:0.0} s |")), "",
            string.Create(CultureInfo.InvariantCulture, $"Median of medians: {medians[medians.Length / 2]:0.0} ms."), "",
        ]);
    }

    private async Task<Waits> MoveAsync(ulong seed, CancellationToken cancellationToken)
    {
        await using TwoHosts hosts = await TwoHosts.RaiseAsync(link, seed, [new BindMount(OurProgram.Directory, OurProgram.InHost, ReadOnly: true)], [], cancellationToken);
        await hosts.StartAsync(new WorkloadText(workload), cancellationToken);
        await hosts.Source.ShellAsync($"rm -f {TwoHosts.Bundle}/rootfs/waits", cancellationToken);
        long start = Environment.TickCount64;
        await OurProgram.MigrateAsync(hosts, options, cancellationToken);
        TimeSpan total = TimeSpan.FromMilliseconds(Environment.TickCount64 - start);
        await Task.Delay(TimeSpan.FromSeconds(2), cancellationToken);
        string[] noted = (await hosts.Target.ReadTextAsync(Noted, cancellationToken)).Trim().Split(' ');
        return new Waits(int.Parse(noted[0], CultureInfo.InvariantCulture), double.Parse(noted[1], CultureInfo.InvariantCulture), double.Parse(noted[2], CultureInfo.InvariantCulture), total);
    }

    /// <summary>In milliseconds, but the last.</summary>
    private sealed record Waits(int Count, double Median, double Most, TimeSpan Total);
}
