using System.Globalization;
using System.Text.RegularExpressions;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Faults;

/// <summary>
/// One migration with one fault, at one moment. Whatever becomes of it: never two copies, one that runs in the end, and nothing left behind.
/// </summary>
internal sealed partial class FaultCell(Moment moment, Fault fault)
{
    private static readonly TimeSpan s_jobLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_answerLimit = TimeSpan.FromSeconds(15);

    private const int AttemptsMax = 3;
    private const string InDoubt = "in doubt";
    private const string Ended = "exit code 9";
    private const string WitnessBundle = "/var/lib/p2pmigrate/containers/" + WitnessContainer.Name; // of one that has moved

    // Recovery comes before the ticket is looked at.
    private const string NoTicket = "p2pm1nothing";

    /// <summary>
    /// Runs it, and again where nothing was hit that is there at this moment. Returns a row of the table. Throws when a promise is broken, or when it was not hit in any
    /// attempt.
    /// </summary>
    public async Task<string> RunAsync()
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                if (await TryAsync() is { } row)
                    return row;
                if (!fault.MustHit(moment.Name))
                    return $"| {moment.Name} | {fault.Name} | nothing there to break | | |";
                Assert.True(attempt < AttemptsMax, $"{fault.Name} at {moment.Name}: not hit in {attempt} attempts.");
            }
            catch (MissedMomentException) when (attempt < AttemptsMax)
            {
                // On a busy machine a boundary may pass before anybody looks.
            }
        }
    }

    private async Task<string?> TryAsync()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await fault.PrepareAsync(peers);
        (peers.SourceEnvironment, peers.TargetEnvironment) = (fault.EnvironmentOf(atTarget: false), fault.EnvironmentOf(atTarget: true));
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 32, filesMegabytes: 16, fault.BundleHook);
        string ticket = await peers.ReceiveAsync();
        Testimony before = await WitnessContainer.WaitAsync(peers.Source, s_answerLimit);
        Leftovers source = await Leftovers.OnAsync(peers.Source);
        Leftovers target = await Leftovers.OnAsync(peers.Target);
        await using CopyWatch copies = CopyWatch.Start(peers.Source, peers.Target);
        Assert.Equal(0, await copies.WhoRunsAsync(s_answerLimit));

        await using LabProcess migrate = await peers.StartMigrateAsync(WitnessContainer.Name, ticket);
        if (!await moment.ReachAsync(peers, migrate))
            throw new MissedMomentException($"The moment did not come:\n{migrate.Output.Text}\n{migrate.Error.Text}");
        bool happened = await fault.HappenAsync(peers, migrate);
        bool targetHasJob = new JournalWatch(peers.Target).HasUnended;
        copies.BeginGaps();
        migrate.Signal(UnixSignal.Continue);
        peers.Receive!.Signal(UnixSignal.Continue);

        (string end, string story) = await SettleAsync(peers, migrate, copies);
        int? side = end == Ended ? null : await copies.WhoRunsAsync(s_answerLimit);
        TimeSpan away = copies.LongestGap;
        story = $"{fault.Name} at {moment.Name}, {end}:\n{story}";
        Assert.True(copies.Wrong.Count == 0, $"{string.Join("; ", copies.Wrong.Distinct().Take(5))}. {story}");
        if (end == Ended)
        {
            await StartAnewAsync(peers, story);
            await CheckLeftoversAsync(peers, hasMoved: false, source, target, story);
            return $"| {moment.Name} | {fault.Name} | {Ended} | nowhere, until it is started by the line printed | |";
        }

        if (side is null && fault.EndsWhatMoved && end == "exit code 0")
            return $"| {moment.Name} | {fault.Name} | {end} | nowhere: it had moved | |";
        Assert.True(side is not null, $"Nobody answers. {story}");
        Assert.True(!end.StartsWith("exit code", StringComparison.Ordinal) || end.EndsWith(InDoubt, StringComparison.Ordinal) || away < fault.BackWithin, $"Nobody answered for {away.TotalSeconds:0.0} s. {story}");
        await CheckAsync(peers, side == 1, before, story);
        bool hadMoved = fault.EndsWhatMoved && end.EndsWith(InDoubt, StringComparison.Ordinal) && !targetHasJob;
        await CheckLeftoversAsync(peers, side == 1, source, hadMoved ? target with { Jobs = WitnessBundle + "\n" } : target, story);
        return happened && await fault.WasHitAsync(peers) ? string.Create(CultureInfo.InvariantCulture, $"| {moment.Name} | {fault.Name} | {end} | {(side == 1 ? "target" : "source")} | {away.TotalSeconds:0.0} s |") : null;
    }

    /// <summary>Lets both programs come to their end, starts again what was killed, and decides where a person has to. Returns how it ended, and all that was said.</summary>
    private async Task<(string End, string Story)> SettleAsync(MigrationPeers peers, LabProcess migrate, CopyWatch copies)
    {
        MigrateResult first = await MigrationPeers.EndOfAsync(migrate);
        string story = first.Everything;
        await fault.EndAsync(peers);
        MigrateResult last = first;
        if (first.ExitCode is not (0 or 5 or 6 or 9))
        {
            last = await peers.MigrateAsync(WitnessContainer.Name, NoTicket);
            story += $"\nsource again: {last.Everything}";
        }

        if (peers.Receive!.HasExited)
            await peers.ReceiveAsync();
        await WaitForJobAsync(peers.Target);
        story += $"\ntarget: {peers.Receive!.Output.Text}\n{peers.Receive.Error.Text}";
        Assert.True(first.ExitCode is 0 or 5 or 6 or 9 || (first.ExitCode == 137 && fault.KillsSource), $"Exit code {first.ExitCode}. {story}");
        string end = first.ExitCode == 137 ? "killed" : $"exit code {first.ExitCode}";
        if (last.ExitCode != 6)
            return (end, story);
        if (fault.EndsWhatMoved)
            copies.ForgetTarget();
        return ($"{end}, {InDoubt}", story + await Person.DecideAsync(peers.Source, peers.Target, last.Everything));
    }

    private static async Task WaitForJobAsync(VirtualHost host)
    {
        var watch = new JournalWatch(host);
        for (long deadline = Environment.TickCount64 + (long)s_jobLimit.TotalMilliseconds; watch.State is not null && Environment.TickCount64 < deadline;)
            await Task.Delay(20);
    }

    private async Task CheckAsync(MigrationPeers peers, bool hasMoved, Testimony before, string story)
    {
        Testimony after = await WitnessContainer.WaitAsync(hasMoved ? peers.Target : peers.Source, fault.BackWithin);
        Assert.True(after.Nonce == before.Nonce && after.Counter > before.Counter, story);
        if (hasMoved && fault.DisturbsWhatMoved)
            return;
        Testimony? checkedIt = await WitnessContainer.AskAsync(hasMoved ? peers.Target : peers.Source, "check");
        Assert.True(checkedIt is { Wrong: [] }, $"{string.Join(", ", checkedIt?.Wrong ?? ["no answer"])}. {story}");
    }

    /// <summary>A container that has died of it: as the log shows that the program has kept, if there is one; and the line that it prints starts it again.</summary>
    // spec: MIG-14
    private async Task StartAnewAsync(MigrationPeers peers, string story)
    {
        Match log = KeptLog().Match(story), command = StartLine().Match(story);
        Assert.True(fault.MayHaveEndedContainer(log.Success ? await peers.Source.ShellAsync($"cat {log.Groups[1].Value}") : ""), $"It has ended, and should not have. {story}");
        Assert.True(command.Success, $"It has ended, and there is no line to type. {story}");
        await peers.Source.ShellAsync($"{{ {Regex.Unescape(command.Groups[1].Value)}; }} </dev/null >/dev/null 2>&1"); // JSON writes & as \u0026
        await WitnessContainer.WaitAsync(peers.Source, s_answerLimit);
    }

    private static async Task CheckLeftoversAsync(MigrationPeers peers, bool hasMoved, Leftovers source, Leftovers target, string story)
    {
        Leftovers here = await Leftovers.OnAsync(peers.Source), there = await Leftovers.OnAsync(peers.Target);
        if (!hasMoved)
        {
            Assert.True(source == here, $"At the source {source} became {here}. {story}");
            Assert.True(target == there, $"At the target {target} became {there}. {story}");
            return;
        }

        Assert.True(here is { Frozen: "", Programs: "", Jobs: "", Containers: "" }, $"At the source: {here}. {story}");
        Assert.True(there.Frozen == "" && there.Programs == target.Programs && there.Firewall == target.Firewall, $"At the target: {there}. {story}");
        Assert.DoesNotContain("/journal/", there.Jobs, StringComparison.Ordinal);
        Assert.DoesNotContain("/jobs/", there.Jobs, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\(log: ([^)]+)\)")]
    private static partial Regex KeptLog();

    [GeneratedRegex(@"To start it anew, type: ([^""\n]+)")]
    private static partial Regex StartLine();

    private sealed class MissedMomentException(string message) : Exception(message);
}
