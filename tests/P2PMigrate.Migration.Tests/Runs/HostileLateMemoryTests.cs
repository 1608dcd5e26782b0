using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>Either side sends or asks for late memory as it should not.</summary>
public sealed class HostileLateMemoryTests
{
    private const ulong NotLeft = SimulatedContainer.Address, Left = SimulatedContainer.Address + (60 * PageRun.PageSize);

    private static readonly CopyOptions s_postCopy = new() { Mode = MigrationMode.PostCopy };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData((int)ContentKind.LateMemory)]
    [InlineData((int)ContentKind.WantedMemory)]
    [Trait("Spec", "MIG-102")]
    [Trait("Spec", "MIG-103")]
    public async Task Memory_late_where_nothing_was_left_ends_the_job_before_the_commit(int kind)
    {
        await using var rig = new MigrationRig();
        await AssertRefusedBeforeTheCommitAsync(rig, session => OpenAsync(session, JobOf(rig), (ContentKind)kind), "of which nothing had been left");
    }

    [Fact]
    [Trait("Spec", "MIG-103")]
    public async Task Memory_late_under_another_key_than_the_dumps_ends_the_job_before_the_commit()
    {
        await using var rig = new MigrationRig { Copy = s_postCopy };
        await AssertRefusedBeforeTheCommitAsync(rig, session => OpenAsync(session, JobOf(rig), ContentKind.LateMemory), "changed the page key");
    }

    [Fact]
    [Trait("Spec", "MIG-102")]
    public async Task A_second_stream_of_wanted_pages_ends_the_job_before_the_commit()
    {
        await using var rig = new MigrationRig { Copy = s_postCopy };
        await AssertRefusedBeforeTheCommitAsync(rig, session => OpenAsync(session, JobOf(rig), ContentKind.WantedMemory), "sent WantedMemory twice");
    }

    /// <summary>From a source that has asked what became of its job; an honest one comes after it.</summary>
    [Theory]
    [InlineData("not left")]
    [InlineData("unknown process")]
    [InlineData("shared")]
    [InlineData("left again")]
    [InlineData("too little")]
    [InlineData("another job")]
    [InlineData("another kind")]
    [InlineData("noise")]
    [Trait("Spec", "MEM-22")]
    [Trait("Spec", "MIG-105")]
    public async Task Memory_for_which_nobody_waits_or_that_is_not_all_is_refused(string what)
    {
        await using var rig = new MigrationRig { Copy = s_postCopy };
        SimulatedContainer source = rig.SourceCopy!;
        JobId job = await CutWhileGivingAsync(rig);
        int lacking = rig.TargetCopy!.Arrival!.Lacking;
        rig.Reconnect();
        Task answering = Encounter.AnswerAsync(rig);
        await using (ITunnelStream question = await rig.Near.OpenStreamAsync(StreamPriority.Bulk, Token))
            Assert.Equal(JobFate.UnderWay, (await Question.AskAsync<Fate>(question, new Inquiry(job), Token)).Of);

        await SendLateAsync(rig.Near, job, what, source.Memory);

        SessionEnd end = await rig.Near.Completion.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.True(end.ByPeer, end.Reason);
        await answering.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.Equal((CopyState.Frozen, lacking), (source.State, rig.TargetCopy.Arrival.Lacking + (what == "too little" ? 1 : 0)));
        Assert.Equal(RecoveryAction.Destroyed, (await Encounter.AskAsync(rig, job))!.Action);
        Assert.Equal(source.Memory, rig.TargetCopy.Memory);
        Assert.Empty(rig.World.Violations);
    }

    [Theory]
    [InlineData(1, NotLeft, 1)]
    [InlineData(2, Left, 1)]
    [InlineData(1, Left + 1, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(1, ulong.MaxValue, 1)]
    [InlineData(1, Left, 0)]
    [InlineData(1, Left, 65)]
    [InlineData(1, Left, uint.MaxValue)]
    [Trait("Spec", "MIG-102")]
    [Trait("Spec", "MIG-104")]
    public async Task A_target_that_asks_for_what_was_not_left_gets_nothing_and_the_copy_stays(ulong process, ulong address, uint pages)
    {
        await using var rig = new MigrationRig { Copy = s_postCopy };
        JobId job = await CutWhileGivingAsync(rig);
        rig.Reconnect();
        Task<RecoveredJob?> asking = new DoubtInquiry(rig.Source.Environment).AskAsync(rig.Near, job, Token);
        ITunnelStream wanted = await AnswerUnderWayAsync(rig);

        byte[] record = new byte[WantedRecord.Size];
        new WantedRecord(process, address, pages).Write(record);
        await wanted.Output.WriteAsync(record, Token);

        await AssertStillInDoubtAsync(rig, job, asking);
    }

    [Fact]
    [Trait("Spec", "MIG-102")]
    public async Task Of_pages_that_are_asked_for_as_many_come_as_lie_there_side_by_side()
    {
        await using var rig = new MigrationRig { Copy = s_postCopy };
        SimulatedContainer source = rig.SourceCopy!;
        JobId job = await CutWhileGivingAsync(rig);
        rig.Reconnect();
        Task<RecoveredJob?> asking = new DoubtInquiry(rig.Source.Environment).AskAsync(rig.Near, job, Token);
        ITunnelStream wanted = await AnswerUnderWayAsync(rig);
        foreach ((int page, uint pages, uint come) in ((int, uint, uint)[])[(50, 64, 50), (60, 5, 5), (99, 64, 1), (60, 5, 5)])
        {
            byte[] record = new byte[WantedRecord.Size];
            ulong address = SimulatedContainer.Address + (ulong)(page * PageRun.PageSize);
            new WantedRecord(1, address, pages).Write(record);
            await wanted.Output.WriteAsync(record, Token);

            Assert.Equal(new WantedRecord(1, address, come), WantedRecord.Read(await wanted.Input.TryReadExactlyAsync(WantedRecord.Size, Token)));
            byte[] content = new byte[PageBlock.MaxContentLength];
            await new PageBlockReader(new TransferMeter(() => { })).ReadBlockAsync(wanted.Input, come, content, Token);
            Assert.Equal(source.Memory.AsSpan(page * PageRun.PageSize, (int)come * PageRun.PageSize), content.AsSpan(0, (int)come * PageRun.PageSize));
        }

        await wanted.DisposeAsync(); // and then it asks no more, though it has not got all
        await AssertStillInDoubtAsync(rig, job, asking);
    }

    /// <summary>Whatever goes wrong, an honest target gets the rest later.</summary>
    private static async Task AssertStillInDoubtAsync(MigrationRig rig, JobId job, Task<RecoveredJob?> asking)
    {
        RecoveredJob? heard = null;
        Exception? thrown = await Record.ExceptionAsync(async () => heard = await asking.WaitAsync(TimeSpan.FromSeconds(30), Token));
        Assert.True(heard is { Action: RecoveryAction.Failed } || thrown is MigrationException or TunnelException, $"{heard} {thrown}");
        Assert.Equal(CopyState.Frozen, rig.SourceCopy!.State);
        await rig.Near.CloseAsync(0, "it went wrong", Token);
        Assert.Equal(RecoveryAction.Destroyed, (await Encounter.AskAsync(rig, job))!.Action);
        Assert.Empty(rig.World.Violations);
    }

    /// <summary>A hostile target: says that the job is under way, and takes both streams.</summary>
    private static async Task<ITunnelStream> AnswerUnderWayAsync(MigrationRig rig)
    {
        ITunnelStream question = await rig.Far.AcceptStreamAsync(Token);
        await question.Input.ReadRecordAsync(ControlLimits.MaxMessageLength, Token);
        await Question.WriteAsync(question, new Fate(JobFate.UnderWay), Token);
        while (true)
        {
            ITunnelStream stream = await rig.Far.AcceptStreamAsync(Token);
            if ((await StreamHeader.ReadAsync(stream.Input, Token)).Kind == ContentKind.WantedMemory)
                return stream;
        }
    }

    /// <summary>While an honest source waits for its container to be restored, somebody sends more in its session.</summary>
    private static async Task AssertRefusedBeforeTheCommitAsync(MigrationRig rig, Func<ITunnelSession, Task> send, string reason)
    {
        bool isMinded = false;
        rig.AtStep = async step =>
        {
            if (step != "target:restore")
                return;
            await send(rig.Near);
            for (long start = Environment.TickCount64; !isMinded && Environment.TickCount64 - start < 20_000; await Task.Delay(5, Token))
                isMinded = rig.Log.Any(line => line.Contains(reason, StringComparison.Ordinal));
        };

        MigrationOutcome sent = (await rig.RunAsync(Token)).Sent;

        Assert.True(isMinded);
        Assert.IsType<MigrationFailed>(sent);
        Aftermath.AssertTrue(rig, sent);
        Assert.Empty(rig.World.Violations);
        Assert.Empty(rig.Leftovers());
    }

    private static async Task<ITunnelStream> OpenAsync(ITunnelSession session, JobId job, ContentKind kind)
    {
        using PageKey key = PageKey.Create();
        return await new StreamHeader(job, kind, PageKey: key.Export()).OpenAsync(session, Token);
    }

    private static async Task SendLateAsync(ITunnelSession session, JobId job, string what, byte[] memory)
    {
        if (what is "another job" or "another kind" or "noise")
        {
            ITunnelStream stream = await OpenAsync(session, what == "another job" ? new JobId(4711) : job, what == "another kind" ? ContentKind.Memory : ContentKind.LateMemory);
            await stream.Output.WriteAsync(new byte[100], Token);
            return;
        }

        using PageKey key = PageKey.Create();
        PageSender pages = await PageSender.OpenLateAsync(session, job, key, new PageBook(0), new TransferMeter(() => { }), Token);
        await pages.OpenAsync(new PageSpace(what == "shared" ? PageSpaceKind.SharedMemory : PageSpaceKind.Process, what == "unknown process" ? 2u : 1u), Token);
        ulong address = what == "not left" ? NotLeft : SimulatedContainer.Address + (598 * PageRun.PageSize);
        PageRun run = new(address, 1, what == "left again" ? 2u : 6u);
        await pages.WriteAsync(run, run.IsPresent ? memory.AsMemory(InMemoryFence.OffsetOf(address), PageRun.PageSize) : default, Token);
        _ = pages.CompleteAsync(Token).AsTask().ContinueWith(task => task.Exception, TaskScheduler.Default); // there is no receipt
    }

    private static JobId JobOf(MigrationRig rig) => UnfinishedJob.JournalsIn(rig.Source.Environment.State).Single().Job;

    private static async Task<JobId> CutWhileGivingAsync(MigrationRig rig)
    {
        int gave = 0;
        rig.AtStep = step =>
        {
            if (step == "source:give" && Interlocked.Increment(ref gave) == 5)
                rig.Near.Cut();
            return Task.CompletedTask;
        };
        MigrationOutcome sent = await rig.Start().Sending.WaitAsync(TimeSpan.FromSeconds(30), Token);
        rig.AtStep = null;
        return Assert.IsType<MigrationFailed>(sent).JobId;
    }
}
