using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>What is sent before the freeze and what under it.</summary>
public sealed class PreCopyTests
{
    [Fact]
    [Trait("Spec", "MIG-81")]
    public async Task Under_the_freeze_only_pages_travel_that_changed_since_they_were_read()
    {
        await using var rig = new MigrationRig();

        MigrationCompleted completed = rig.Completed((await rig.RunAsync()).Sent);

        Assert.Equal(600 * PageRun.PageSize, completed.MemoryBytes);
        Assert.Equal(PageRun.PageSize, completed.FrozenMemoryBytes);
        Assert.Equal(CopyState.Running, rig.TargetCopy!.State);
    }

    [Fact]
    [Trait("Spec", "MIG-85")]
    public async Task Stop_and_copy_reads_no_live_memory_and_sends_all_of_it_under_the_freeze()
    {
        await using var rig = new MigrationRig { Copy = new CopyOptions { Mode = MigrationMode.StopAndCopy } };

        MigrationCompleted completed = rig.Completed((await rig.RunAsync()).Sent);

        Assert.DoesNotContain("source:live", rig.Steps);
        Assert.Equal(300 * PageRun.PageSize, completed.FrozenMemoryBytes);
        Assert.Null(completed.LastRound!.PredictedDowntime);
    }

    [Fact]
    [Trait("Spec", "MIG-71")]
    public async Task What_a_freeze_needs_is_asked_once_and_before_the_last_pass_over_memory()
    {
        await using var rig = new MigrationRig { Copy = new CopyOptions { DowntimeTarget = TimeSpan.Zero, MaxRounds = 5 } };

        rig.Completed((await rig.RunAsync()).Sent);

        string[] steps = [.. rig.Steps];
        int asked = Array.IndexOf(steps, "source:prepare freeze");
        Assert.Equal(asked, Array.LastIndexOf(steps, "source:prepare freeze"));
        Assert.InRange(asked, 0, Array.LastIndexOf(steps, "source:live"));
    }

    [Fact]
    [Trait("Spec", "MIG-84")]
    public async Task Rounds_are_told_one_by_one_and_the_last_says_why_it_is()
    {
        await using var rig = new MigrationRig { Copy = new CopyOptions { DowntimeTarget = TimeSpan.Zero, MaxRounds = 5 } };

        MigrationCompleted completed = rig.Completed((await rig.RunAsync()).Sent);

        RoundSummary[] rounds = [.. rig.Progress.Where(report => report.Kind == ProgressKind.RoundEnded).Select(report => report.RoundSummary!)];
        Assert.InRange(rounds.Length, 2, 5);
        Assert.Equal(Enumerable.Range(0, rounds.Length), rounds.Select(round => round.Round));
        Assert.All(rounds[..^1], round => Assert.Equal(RoundsEnd.None, round.End));
        Assert.NotEqual(RoundsEnd.None, rounds[^1].End);
        Assert.Equal(rounds[^1], completed.LastRound);
        Assert.Equal(300 * PageRun.PageSize, rounds[0].NewBytes);
        Assert.Equal(PageRun.PageSize, rounds[1].NewBytes);
        Assert.All(rounds, round => Assert.Equal(600 * PageRun.PageSize, round.MemoryBytes));
    }

    [Fact]
    [Trait("Spec", "MIG-82")]
    public async Task Memory_that_was_put_together_wrong_ends_the_job_and_the_source_runs_on()
    {
        await using var rig = new MigrationRig();
        rig.AtStep = step =>
        {
            if (step == "source:freeze")
                Spoil(rig.Target.Environment.State.Jobs);
            return Task.CompletedTask;
        };

        (MigrationOutcome sent, _) = await rig.RunAsync();

        var failed = Assert.IsType<MigrationFailed>(sent);
        Assert.Equal(ContainerSide.Source, failed.RunningAt);
        Assert.Contains("not what was dumped", failed.Reason, StringComparison.Ordinal);
        Assert.Equal(CopyState.Running, rig.SourceCopy!.State);
    }

    [Fact]
    [Trait("Spec", "MEM-13")]
    public async Task A_page_that_the_container_withholds_does_not_keep_it_from_being_left_alone()
    {
        await using var rig = new MigrationRig();
        var withheld = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var interrupt = new CancellationTokenSource();
        rig.AtStep = step =>
        {
            if (step != "source:live")
                return Task.CompletedTask;
            interrupt.CancelAfter(TimeSpan.FromMilliseconds(100));
            return withheld.Task;
        };

        (MigrationOutcome sent, _) = await rig.RunAsync(interrupt.Token);

        withheld.SetResult();
        var failed = Assert.IsType<MigrationFailed>(sent);
        Assert.Equal(ContainerSide.Source, failed.RunningAt);
        Assert.Equal(CopyState.Running, rig.SourceCopy!.State);
    }

    /// <summary>The disk changes what the target keeps: found by its open descriptor, since it has no name. Both agents are this process.</summary>
    private static void Spoil(string directory)
    {
        foreach (string path in Directory.EnumerateFiles("/proc/self/fd"))
        {
            if (new FileInfo(path).LinkTarget is not { } link || !link.StartsWith(directory, StringComparison.Ordinal) || !link.EndsWith("(deleted)", StringComparison.Ordinal))
                continue;
            using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            for (long offset = 0; offset < file.Length; offset += PageRun.PageSize)
            {
                file.Position = offset;
                file.WriteByte(0xA5);
                file.WriteByte(0x5A);
            }
        }
    }
}
