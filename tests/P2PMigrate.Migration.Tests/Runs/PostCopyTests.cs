using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>A container runs at the target, and its memory follows it.</summary>
public sealed class PostCopyTests
{
    private const int Pages = 600, PagesWithTheDump = 200;

    private static readonly CopyOptions s_postCopy = new() { Mode = MigrationMode.PostCopy };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Spec", "MEM-20")]
    [Trait("Spec", "MIG-101")]
    [Trait("Spec", "MIG-103")]
    public async Task Most_of_the_memory_follows_a_container_that_runs_and_in_the_end_it_has_all_of_it()
    {
        await using var rig = new MigrationRig { Copy = s_postCopy };
        SimulatedContainer source = rig.SourceCopy!;

        (MigrationOutcome sent, ReceiveOutcome received) = await rig.RunAsync(Token);

        MigrationCompleted completed = rig.Completed(sent);
        Assert.Null(completed.Warning);
        Assert.Equal((ReceiveEnd.Completed, null), (received.End, received.Reason));
        Assert.Equal(Pages * PageRun.PageSize, completed.MemoryBytes);
        Assert.Equal(source.Memory, rig.TargetCopy!.Memory);
        Assert.Equal((CopyState.Gone, CopyState.Running), (source.State, rig.TargetCopy.State));
        AssertInOrder(rig, "source:dumped", "target:restored", "source:journal:Committed", "target:released", "source:journal:Giving", "source:give", "target:completed", "source:journal:Destroying", "source:destroyed");
        Assert.Equal(0, rig.Steps.Count(step => step == "source:live"));
        Assert.Contains(rig.Progress, report => report is { Kind: ProgressKind.Finished, Phase: MigrationPhase.Giving });
        Assert.Empty(rig.World.Violations);
        Assert.Empty(rig.Leftovers());
    }

    [Fact]
    [Trait("Spec", "MIG-102")]
    public async Task A_page_without_which_it_cannot_even_be_restored_is_asked_for()
    {
        await using var rig = new MigrationRig { Copy = s_postCopy };
        rig.Target.Runtime.TouchedInRestore = [70, 71, 599];

        rig.Completed((await rig.RunAsync(Token)).Sent);

        string[] before = [.. rig.Steps.TakeWhile(step => step != "target:restored")];
        Assert.Equal(3, before.Count(step => step == "target:want"));
        Assert.Equal(3, before.Count(step => step == "source:wanted"));
        Assert.DoesNotContain("source:give", before);
    }

    /// <summary>The rest is not begun before.</summary>
    [Fact]
    [Trait("Spec", "MIG-102")]
    [Trait("Spec", "MEM-23")]
    public async Task What_a_container_touches_as_it_runs_does_not_wait_for_what_follows()
    {
        await using var rig = new MigrationRig { Copy = s_postCopy };
        int lacking = 0;
        rig.AtStep = async step =>
        {
            if (step != "source:give" || lacking > 0)
                return;
            LateArrival arrival = rig.TargetCopy!.Arrival!;
            await arrival.TouchAsync([.. rig.Target.Runtime.TouchedWhenRunning, 333], Token).WaitAsync(TimeSpan.FromSeconds(30), Token);
            lacking = arrival.Lacking;
        };
        SimulatedContainer source = rig.SourceCopy!;

        rig.Completed((await rig.RunAsync(Token)).Sent);

        Assert.InRange(lacking, 300, Pages - PagesWithTheDump - 4); // asked for one by one, so that much was left
        Assert.Equal(source.Memory, rig.TargetCopy!.Memory);
    }

    /// <summary>Each page is touched when the one before has come, as by a program that begins to run.</summary>
    [Fact]
    [Trait("Spec", "MIG-107")]
    public async Task The_rest_begins_when_the_container_has_what_it_works_with()
    {
        await using var rig = new MigrationRig(timers: MigrationRig.Timers with { AskingCalm = TimeSpan.FromSeconds(2), AskingPatience = TimeSpan.FromSeconds(60) }) { Copy = s_postCopy };
        Task<int> working = Task.FromResult(0);
        rig.AtStep = step =>
        {
            if (step == "target:released")
                working = Task.Run(() => WorkAsync(rig.TargetCopy!.Arrival!), Token);
            return Task.CompletedTask;
        };

        rig.Completed((await rig.RunAsync(Token)).Sent);

        string[] before = [.. rig.Steps.TakeWhile(step => step != "source:give")];
        Assert.InRange(await working, 30, before.Count(step => step == "source:wanted"));
    }

    private static async Task<int> WorkAsync(LateArrival arrival)
    {
        int[] pages = [.. arrival.FindLacking().Where((_, index) => index % 12 == 5)];
        foreach (int page in pages)
            await arrival.TouchAsync([page], Token);
        return pages.Length;
    }

    [Fact]
    [Trait("Spec", "MIG-100")]
    [Trait("Spec", "MIG-104")]
    public async Task Until_all_has_come_the_copy_stays_frozen_and_nothing_of_the_job_goes()
    {
        await using var rig = new MigrationRig { Copy = s_postCopy };
        SimulatedContainer source = rig.SourceCopy!;
        var seen = new List<(CopyState, bool)>();
        rig.AtStep = step =>
        {
            if (step is "target:late page" or "target:late pages")
                seen.Add((source.State, rig.Target.Leftovers().Any()));
            return Task.CompletedTask;
        };

        rig.Completed((await rig.RunAsync(Token)).Sent);

        Assert.NotEmpty(seen);
        Assert.All(seen, at => Assert.Equal((CopyState.Frozen, true), at));
        Assert.Empty(rig.Leftovers());
    }

    /// <summary>The target waits for the source's last word no longer than for a silent session's end, but for memory as long as it takes.</summary>
    [Fact]
    [Trait("Spec", "MIG-100")]
    [Trait("Spec", "MIG-103")]
    public async Task What_follows_may_take_longer_than_the_target_waits_for_a_last_word()
    {
        await using var rig = new MigrationRig { Copy = s_postCopy };
        int gave = 0;
        rig.AtStep = step => step == "source:give" && Interlocked.Increment(ref gave) == 5 ? Task.Delay(MigrationRig.Timers.Linger * 1.3, Token) : Task.CompletedTask;

        (MigrationOutcome sent, ReceiveOutcome received) = await rig.RunAsync(Token);

        rig.Completed(sent);
        Assert.Equal(ReceiveEnd.Completed, received.End);
        Assert.Empty(rig.Leftovers());
    }

    /// <summary>As above, and the container has its last page before the source has the receipt.</summary>
    [Fact]
    [Trait("Spec", "MIG-103")]
    public async Task The_receipt_is_given_though_the_target_has_nothing_else_to_wait_for()
    {
        await using var rig = new MigrationRig { Copy = s_postCopy };
        int gave = 0;
        rig.AtStep = step => step switch
        {
            "source:give" when Interlocked.Increment(ref gave) == 5 => Task.Delay(MigrationRig.Timers.Linger * 1.3, Token),
            "target:late pages" => Task.Delay(300, Token),
            _ => Task.CompletedTask,
        };

        (MigrationOutcome sent, ReceiveOutcome received) = await rig.RunAsync(Token);

        rig.Completed(sent);
        Assert.Equal(ReceiveEnd.Completed, received.End);
        Assert.Empty(rig.Leftovers());
    }

    [Fact]
    [Trait("Spec", "MIG-101")]
    public async Task A_target_that_cannot_is_told_from_one_that_can_before_anything_is_stopped()
    {
        await using var rig = new MigrationRig { Copy = s_postCopy };
        rig.Target.Runtime.TakesLate = false;

        MigrationOutcome sent = (await rig.RunAsync(Token)).Sent;

        Assert.Contains("before all of its memory is there", Assert.IsType<MigrationFailed>(sent).Reason, StringComparison.Ordinal);
        Aftermath.AssertTrue(rig, sent);
        Assert.DoesNotContain("source:freeze", rig.Steps);
        Assert.Equal(0, rig.SourceCopy!.Runs); // never thawed
        Assert.Empty(rig.Leftovers());
    }

    [Theory]
    [InlineData(MigrationMode.Auto)]
    [InlineData(MigrationMode.PreCopy)]
    [InlineData(MigrationMode.StopAndCopy)]
    [Trait("Spec", "MIG-101")]
    public async Task Nothing_is_left_for_later_unless_the_user_wants_it(MigrationMode mode)
    {
        await using var rig = new MigrationRig { Copy = new CopyOptions { Mode = mode, DowntimeTarget = TimeSpan.FromMinutes(1) } };

        MigrationCompleted completed = rig.Completed((await rig.RunAsync(Token)).Sent);

        Assert.Equal(Pages * PageRun.PageSize, completed.MemoryBytes);
        Assert.Null(rig.TargetCopy!.Arrival);
        Assert.DoesNotContain(rig.Steps, step => step is "source:wanted" or "source:give" or "source:journal:Giving");
    }

    [Fact]
    [Trait("Spec", "MIG-103")]
    public async Task A_container_can_go_back_as_it_came()
    {
        await using var rig = new MigrationRig { Copy = s_postCopy };
        rig.Completed((await rig.RunAsync(Token)).Sent);
        for (int trip = 0; trip < 3; trip++)
        {
            rig.Turn();
            SimulatedContainer source = rig.SourceCopy!;
            source.Live();
            rig.Completed((await rig.RunAsync(Token)).Sent);
            Assert.Equal(source.Memory, rig.TargetCopy!.Memory);
            Assert.Empty(rig.Leftovers());
        }

        Assert.Empty(rig.World.Violations);
        Assert.Single(rig.World.CopiesIn(CopyState.Running));
    }

    private static void AssertInOrder(MigrationRig rig, params string[] steps)
    {
        List<string> all = [.. rig.Steps];
        int[] order = [.. steps.Select(step => all.IndexOf(step))];
        Assert.DoesNotContain(-1, order);
        Assert.Equal(order.Order(), order);
    }
}
