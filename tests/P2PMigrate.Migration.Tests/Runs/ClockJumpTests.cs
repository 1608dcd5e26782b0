using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>Somebody sets the clock of both machines, all the time. A handover counts time by what no one can set; the time of day is for people to read in journals.</summary>
public sealed class ClockJumpTests
{
    [Fact]
    [Trait("Spec", "MIG-40")]
    [Trait("Spec", "MIG-45")]
    public async Task A_migration_does_not_notice_that_the_time_of_day_jumps()
    {
        await using var rig = new MigrationRig(time: new JumpingClock());

        rig.Completed((await rig.RunAsync()).Sent);

        Assert.Empty(rig.World.Violations);
        Assert.Empty(rig.Leftovers());
    }

    [Theory]
    [InlineData("source:frozen")]
    [InlineData("source:journal:Committed")]
    [InlineData("target:restored")]
    [InlineData("target:journal:Releasing")]
    [Trait("Spec", "MIG-54")]
    [Trait("Spec", "MIG-55")]
    public async Task Recovery_does_not_notice_either(string killedAt)
    {
        await using var rig = new MigrationRig(time: new JumpingClock());
        bool isKilled = false;
        rig.AtStep = step =>
        {
            if (step != killedAt || isKilled)
                return Task.CompletedTask;
            isKilled = true;
            rig.Crash(killedAt.Split(':')[0]);
            throw new OperationCanceledException("killed");
        };
        (Task<MigrationOutcome> sending, Task<ReceiveOutcome> receiving) = rig.Start();
        Task survivor = killedAt.StartsWith("source", StringComparison.Ordinal) ? receiving : sending; // who was killed need not end
        await Task.WhenAny(survivor).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.True(isKilled);
        rig.AtStep = null;
        await Aftermath.SettleAsync(rig);
        await Aftermath.AssertCanMigrateAsync(rig);
    }

    /// <summary>Its time of day goes a day forwards and a year back by turns; what it counts time by goes on.</summary>
    private sealed class JumpingClock : TimeProvider
    {
        private int _calls;

        public override DateTimeOffset GetUtcNow() =>
            base.GetUtcNow() + (Interlocked.Increment(ref _calls) % 2 == 0 ? TimeSpan.FromDays(1) : TimeSpan.FromDays(-365));
    }
}
