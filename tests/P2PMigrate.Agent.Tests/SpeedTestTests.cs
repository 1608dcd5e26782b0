using System.Buffers;
using P2PMigrate.Agent.Reception;
using P2PMigrate.Agent.Speed;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Tests;

/// <summary>Both sides of a speed test over a session without a network.</summary>
public sealed class SpeedTestTests
{
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
        Assert.True(await first!.TryServeSpeedTestAsync(token));

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
        Assert.False(await first!.TryServeSpeedTestAsync(token));
        ITunnelStream accepted = await first.AcceptStreamAsync(token);
        Assert.Equal("hello"u8.ToArray(), (await accepted.Input.ReadAtLeastAsync(5, token)).Buffer.ToArray());
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
}
