using System.Buffers;
using P2PMigrate.Agent.Reception;
using P2PMigrate.Agent.Speed;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Tests;

/// <summary>Both sides of a speed test over a session without a network.</summary>
public sealed class SpeedTestTests
{
    private static readonly TimeSpan s_liveness = TimeSpan.FromMinutes(1);
    private static readonly SpeedRequest s_short = new(SpeedDirection.ToResponder, 3, TimeSpan.FromMilliseconds(50), TimeSpan.Zero, 0);

    [Theory]
    [InlineData(SpeedDirection.ToResponder)]
    [InlineData(SpeedDirection.FromResponder)]
    [Trait("Spec", "SPD-05")]
    [Trait("Spec", "SPD-06")]
    internal async Task What_one_side_sends_the_other_counts(SpeedDirection direction)
    {
        (InMemorySession initiator, InMemorySession responder) = InMemorySession.CreatePair();
        CancellationToken token = TestContext.Current.CancellationToken;
        Task<SpeedResult> running = SpeedTest.RunAsync(initiator, s_short with { Direction = direction }, token);
        FirstStream? first = await FirstStream.OfAsync(responder, TimeSpan.FromMinutes(1), token);
        Assert.True(await new SpeedDesk().TryServeAsync(first!, token));

        SpeedResult result = await running;
        Assert.InRange(result.Count.Measured, 1, result.Count.Received);
        Assert.True(result.Count.Time > TimeSpan.Zero && result.MegabitsPerSecond > 0 && result.Cpu > TimeSpan.Zero);
    }

    [Fact]
    public async Task A_session_that_begins_with_a_control_stream_is_for_a_migration_and_keeps_that_stream()
    {
        (InMemorySession initiator, InMemorySession responder) = InMemorySession.CreatePair();
        CancellationToken token = TestContext.Current.CancellationToken;
        ITunnelStream control = await initiator.OpenStreamAsync(StreamPriority.Control, token);
        await control.Output.WriteAsync("hello"u8.ToArray(), token);

        FirstStream? first = await FirstStream.OfAsync(responder, TimeSpan.FromMinutes(1), token);
        Assert.NotNull(first);
        Assert.False(await new SpeedDesk().TryServeAsync(first, token));
        ITunnelStream accepted = await first.AcceptStreamAsync(token);
        Assert.Equal("hello"u8.ToArray(), (await accepted.Input.ReadAtLeastAsync(5, token)).Buffer.ToArray());
    }

    [Fact]
    [Trait("Spec", "SPD-08")]
    public async Task While_one_test_runs_another_is_turned_away_and_told_why()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        var desk = new SpeedDesk();
        (InMemorySession first, Task firstServed) = await AskAsync(desk);
        (InMemorySession second, Task secondServed) = await AskAsync(desk);

        await secondServed.WaitAsync(s_liveness, token);
        SessionEnd end = await second.Completion.WaitAsync(s_liveness, token);
        Assert.Equal(SpeedDesk.Busy, end.Code);
        Assert.Contains("another speed test", end.Reason, StringComparison.Ordinal);

        await first.DisposeAsync();
        await firstServed.WaitAsync(s_liveness, token);
        (InMemorySession third, Task thirdServed) = await AskAsync(desk);
        Assert.False(thirdServed.IsCompleted);
        await third.DisposeAsync();
        await thirdServed.WaitAsync(s_liveness, token);
    }

    [Fact]
    [Trait("Spec", "SPD-08")]
    [Trait("Spec", "SPD-09")]
    public async Task A_job_ends_the_test_that_runs_and_there_is_no_other_until_the_job_has_ended()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        var desk = new SpeedDesk();
        (InMemorySession initiator, InMemorySession responder) = InMemorySession.CreatePair();
        Task<SpeedResult> running = SpeedTest.RunAsync(initiator, s_short with { Duration = TimeSpan.FromMinutes(10) }, token);
        Task served = desk.TryServeAsync((await FirstStream.OfAsync(responder, s_liveness, token))!, token);

        desk.BeginJob();
        TunnelException refused = await Assert.ThrowsAsync<TunnelException>(() => running.WaitAsync(s_liveness, token));
        Assert.Contains("a container is on its way", refused.Message, StringComparison.Ordinal);
        await served.WaitAsync(s_liveness, token);

        (InMemorySession second, Task secondServed) = await AskAsync(desk);
        await secondServed.WaitAsync(s_liveness, token);
        Assert.Equal(SpeedDesk.Busy, (await second.Completion).Code);

        desk.EndJob();
        (InMemorySession third, Task thirdServed) = await AskAsync(desk);
        Assert.False(thirdServed.IsCompleted);
        await third.DisposeAsync();
        await thirdServed.WaitAsync(s_liveness, token);
    }

    [Fact]
    public async Task A_session_that_ends_without_a_stream_is_for_nothing()
    {
        (InMemorySession initiator, InMemorySession responder) = InMemorySession.CreatePair();
        await initiator.DisposeAsync();
        Assert.Null(await FirstStream.OfAsync(responder, TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 3)]
    [InlineData(2, 0)]
    [InlineData(2, 65)]
    [InlineData(7, 255)]
    [InlineData(23, 255)]
    [Trait("Spec", "SPD-03")]
    public async Task A_request_out_of_its_ranges_gets_no_report(int position, byte value)
    {
        byte[] request = new byte[SpeedRequest.Size];
        s_short.Write(request);
        request[position] = value;
        Assert.False(SpeedRequest.TryParse(request, out _));

        (InMemorySession initiator, InMemorySession responder) = InMemorySession.CreatePair();
        CancellationToken token = TestContext.Current.CancellationToken;
        ITunnelStream stream = await initiator.OpenStreamAsync(StreamPriority.Urgent, token);
        await stream.Output.WriteAsync(request, token);
        await stream.Output.CompleteAsync();
        Assert.False(await SpeedTest.ServeAsync(responder, await responder.AcceptStreamAsync(token), token));
        await Assert.ThrowsAsync<TunnelException>(async () => await stream.Input.ReadAsync(token));
    }

    [Fact]
    [Trait("Spec", "SPD-02")]
    public void A_request_and_a_report_survive_the_way()
    {
        byte[] bytes = new byte[SpeedRequest.Size];
        SpeedRequest request = new(SpeedDirection.FromResponder, 64, TimeSpan.FromSeconds(600), TimeSpan.FromSeconds(3), 25_000_000);
        request.Write(bytes);
        Assert.True(SpeedRequest.TryParse(bytes, out SpeedRequest read));
        Assert.Equal(request, read);

        byte[] said = new byte[SpeedReport.Size];
        SpeedReport report = new(new SpeedCount(1000, 900, TimeSpan.FromSeconds(1)), TimeSpan.FromMilliseconds(5));
        report.Write(said);
        Assert.True(SpeedReport.TryParse(said, out SpeedReport heard));
        Assert.Equal(report, heard);
        said[15] = 0xff;
        Assert.False(SpeedReport.TryParse(said, out _));
    }

    /// <summary>A session whose request is not complete yet, and what the desk makes of it.</summary>
    private static async Task<(InMemorySession Initiator, Task Served)> AskAsync(SpeedDesk desk)
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        (InMemorySession initiator, InMemorySession responder) = InMemorySession.CreatePair();
        ITunnelStream stream = await initiator.OpenStreamAsync(StreamPriority.Urgent, token);
        await stream.Output.WriteAsync(new byte[] { 1 }, token);
        return (initiator, desk.TryServeAsync((await FirstStream.OfAsync(responder, s_liveness, token))!, token));
    }
}
