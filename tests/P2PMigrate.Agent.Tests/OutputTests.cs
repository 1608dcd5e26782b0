using System.Text.Json;
using P2PMigrate.Agent.Output;

namespace P2PMigrate.Agent.Tests;

/// <summary>The lines that scripts read: names, order and spelling do not change.</summary>
public sealed class OutputTests
{
    [Fact]
    public void A_completed_migration_is_one_object_with_the_promised_properties()
    {
        string line = JsonOutput.Format(new MigrationCompleted("web", "direct", 312.5, 4000.25, 1, 2, 3) { Downtime = [new("freeze", 4)] });
        Assert.StartsWith(
            """{"event":"completed","container":"web","path":"direct","downtimeMs":312.5,"totalMs":4000.25,"bytesSent":1,"memoryBytes":2,"rootfsBytes":3""",
            line, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', line);
        Assert.Equal(4, JsonDocument.Parse(line).RootElement.GetProperty("downtime")[0].GetProperty("ms").GetDouble());
    }

    [Fact]
    public void A_failed_migration_says_why_and_where_the_container_runs() =>
        Assert.Equal(
            """{"event":"failed","reason":"CRIU said \"no\"","runningAt":"source"}""",
            JsonOutput.Format(new MigrationFailed("CRIU said \"no\"", "source")));

    [Fact]
    [Trait("Spec", "MIG-104")]
    public void A_migration_that_breaks_off_while_memory_follows_says_that_the_container_runs_at_the_target_and_leaves_nothing_to_decide()
    {
        var broken = new Migration.MigrationFailed
        {
            JobId = Migration.JobId.Create(), Container = "web", Reason = "The link broke.", Kind = Migration.FailureKind.Peer, RunningAt = Migration.ContainerSide.Target, IsInDoubt = true,
        };
        (AgentEvent shown, ExitCode code) = MigrationView.Of(broken);
        Assert.Equal(ExitCode.InDoubt, code);
        Assert.Equal("Failed: The link broke. The container runs at the target.", shown.ToLine());
    }

    [Fact]
    public void Every_event_can_be_written_as_json_and_as_a_line()
    {
        AgentEvent[] events =
        [
            new TicketIssued("p2pm1x", "id", DateTimeOffset.UnixEpoch), new IdentityShown("id"), new Listening("0.0.0.0:3478"),
            new FindingMade("blocker", "here", "criu", "missing", "install it"), new CheckCompleted(false, 1, 0), new PathChosen("relay", "a:1", 1),
            new PhaseStarted("copying"), new PhaseProgressed("copying", 1, null), new PhaseFinished("copying", 1, 2),
            new RoundCompleted(0, 1, 2, 3, 4, 5, 6, 300), new RoundCompleted(1, 1, 0, 0, 0, 0, 0, 300) { PredictedDowntimeMs = 4, DirtyBytesPerSecond = 5, EndReason = "Why." },
            new JobRecovered("00", "web", "thawed", "source", "said"), new MigrationFailed("no", "none") { Remedy = "try" },
            new ContainerReceived("web", "peer", "direct", 1), new ReceptionFailed("peer", "why"), new Interrupting(), new PingCompleted("direct", "a:1", 1, 2, null),
            new SpeedCompleted(1, "direct", 2, 3, 4, 5, "aegis-128l", "sent"), new PlaceUsed("peer"),
            new MemoryFollows("web"), new TargetAsked("00", "web", 30) { LacksMemory = true }, new TargetAsked("00", "web", 30),
        ];
        Assert.All(events, shown =>
        {
            Assert.NotEmpty(shown.ToLine());
            Assert.True(JsonDocument.Parse(JsonOutput.Format(shown)).RootElement.TryGetProperty("event", out _));
        });
    }

    [Theory]
    [InlineData("300ms", 300.0)]
    [InlineData("1.5s", 1500.0)]
    [InlineData("0", 0.0)]
    [InlineData("20", 20.0)]
    [InlineData("ms", null)]
    [InlineData("-1ms", null)]
    [InlineData("1e9s", null)]
    [InlineData("99999s", null)]
    [InlineData("soon", null)]
    [InlineData("-Infinity", null)]
    [InlineData("Infinityms", null)]
    [InlineData("NaN", null)]
    [InlineData("3600s", 3_600_000.0)]
    [InlineData("3600.001s", null)]
    public void A_downtime_is_written_with_its_unit(string text, double? milliseconds)
    {
        Assert.Equal(milliseconds is not null, Commands.CopyChoice.TryParseDuration(text, out TimeSpan duration));
        Assert.Equal(milliseconds ?? 0, duration.TotalMilliseconds);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1_250_000, "1.25 MB")]
    [InlineData(12_500_000_000, "12.5 GB")]
    public void Byte_counts_read_well(long bytes, string text) => Assert.Equal(text, ByteText.Of(bytes));
}
