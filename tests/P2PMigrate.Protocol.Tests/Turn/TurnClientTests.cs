using P2PMigrate.Protocol.Turn;

namespace P2PMigrate.Protocol.Tests.Turn;

/// <summary>The life of an allocation under a virtual clock, with a server that loses and grants less than it was asked for.</summary>
public sealed class TurnClientTests
{
    // spec: TURN-03
    [Fact]
    public void An_allocation_takes_two_round_trips()
    {
        TurnWorld world = new TurnWorld().Start();

        Assert.Equal([new TurnAllocated(world.Server.Relayed)], world.Events);
        Assert.Equal([(StunMethod.Allocate, 401), (StunMethod.Allocate, 0)], world.Server.Log);
    }

    // spec: TURN-04
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Lost_answers_are_asked_for_again(int losses)
    {
        var world = new TurnWorld();
        world.Server.Losses = losses;
        world.Start().Pass(TimeSpan.FromSeconds(30));

        Assert.Contains(new TurnAllocated(world.Server.Relayed), world.Events);
        Assert.Equal(world.Server.Relayed, world.Client.Relayed);
    }

    // spec: TURN-03
    [Fact]
    public void An_allocation_lives_for_hours()
    {
        TurnWorld world = new TurnWorld().Start().Pass(TimeSpan.FromHours(5));

        Assert.Single(world.Events);
        Assert.True(world.Now < world.Server.Until);
        Assert.InRange(world.Server.Log.Count(entry => entry.Method == StunMethod.Refresh), 295, 305);
        Assert.InRange(world.Sent.Count(datagram => datagram.Length == StunMessage.HeaderSize), 800, 950); // Keeps the way open.
    }

    // spec: TURN-03
    [Fact]
    public void A_server_that_grants_less_is_asked_more_often()
    {
        var world = new TurnWorld();
        world.Server.Lifetime = 40;
        world.Start().Pass(TimeSpan.FromMinutes(10));

        Assert.Single(world.Events);
        Assert.True(world.Now < world.Server.Until);
    }

    // spec: TURN-03
    [Fact]
    public void A_stale_nonce_is_replaced_at_once()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Server.Nonce = "nonce2";
        world.Pass(TimeSpan.FromMinutes(11));

        Assert.Single(world.Events);
        Assert.Equal((StunMethod.Refresh, 438), world.Server.Log[2]);
        Assert.Equal((StunMethod.Refresh, 0), world.Server.Log[3]);
    }

    // spec: TURN-03
    [Fact]
    public void A_server_that_forgets_while_nobody_talks_is_noticed_within_a_minute()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Server.Restart();
        world.Pass(TimeSpan.FromSeconds(61));

        Assert.Equal([new TurnAllocated(world.Server.Relayed), new TurnLost(), new TurnAllocated(world.Server.Relayed)], world.Events);
    }

    // spec: TURN-03
    [Fact]
    public void A_released_allocation_is_gone()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Server.Losses = 1;
        world.Release();
        Assert.False(world.Client.IsReleased);
        world.Pass(TimeSpan.FromSeconds(1));

        Assert.True(world.Client.IsReleased);
        Assert.Null(world.Server.Until);
        Assert.Equal(Instant.Never, world.Client.NextTimeout);
    }

    // spec: TURN-03
    [Fact]
    public void An_allocation_that_comes_after_the_release_is_given_back()
    {
        var world = new TurnWorld();
        world.Server.Losses = 1;
        world.Start();
        world.Release();
        world.Pass(TimeSpan.FromSeconds(2));

        Assert.True(world.Client.IsReleased);
        Assert.Null(world.Server.Until);
        Assert.DoesNotContain(world.Events, news => news is TurnAllocated);
    }
}
