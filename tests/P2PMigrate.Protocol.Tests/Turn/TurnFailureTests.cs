using P2PMigrate.Protocol.Turn;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Turn;

/// <summary>What becomes of an allocation whose server refuses, forgets, falls silent or sends its clients elsewhere.</summary>
public sealed class TurnFailureTests
{
    private static readonly byte[] s_datagram = [1, 2, 3, 4, 5];

    // spec: TURN-08
    [Fact]
    public void A_server_that_always_wants_another_nonce_is_given_up_after_a_few()
    {
        var world = new TurnWorld();
        world.Server.Refusal = (StunMethod.Allocate, 438);
        world.Start();

        Assert.InRange(world.Sent.Count, 4, 6);
        Assert.Single(world.Sentences);
    }

    // spec: TURN-08
    [Fact]
    public void A_wrong_password_is_said_once_and_tried_again_seldom()
    {
        TurnWorld world = new TurnWorld(password: "wrong").Start();
        for (int i = 0; i < 3600; i++)
        {
            world.Client.Recheck(world.Now);
            world.Pass(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(["The TURN server turn.example:3478 refuses the user name or the password."], world.Sentences);
        Assert.InRange(world.Sent.Count, 6, 9);
    }

    // spec: TURN-08
    [Theory]
    [InlineData(401)]
    [InlineData(441)]
    public void A_server_that_refused_the_credentials_once_is_used_when_it_takes_them(int code)
    {
        var world = new TurnWorld();
        world.Server.Refusal = (StunMethod.Allocate, code);
        world.Start();
        Assert.Single(world.Sentences);

        world.Server.Refusal = null;
        world.Pass(TimeSpan.FromMinutes(11));
        Assert.Equal(world.Server.Relayed, world.Client.Relayed);
    }

    // spec: TURN-08
    [Theory]
    [InlineData(486, "as many allocations as it may have")]
    [InlineData(508, "no room for another allocation")]
    public void A_full_server_is_asked_again_after_a_minute(int code, string words)
    {
        var world = new TurnWorld();
        world.Server.Refusal = (StunMethod.Allocate, code);
        world.Start().Pass(TimeSpan.FromSeconds(59));
        Assert.Contains(words, Assert.Single(world.Sentences), StringComparison.Ordinal);
        Assert.Equal(2, world.Sent.Count);

        world.Server.Refusal = null;
        world.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(world.Server.Relayed, world.Client.Relayed);
    }

    // spec: TURN-08
    [Fact]
    public void A_server_that_is_silent_is_reported_soon_and_asked_on()
    {
        var world = new TurnWorld();
        world.Server.IsGone = true;
        world.Start().Pass(TimeSpan.FromSeconds(6));
        Assert.Contains("does not answer", Assert.Single(world.Sentences), StringComparison.Ordinal);

        world.Pass(TimeSpan.FromMinutes(5));
        Assert.Single(world.Sentences);
        world.Server.IsGone = false;
        world.Pass(TimeSpan.FromMinutes(10));
        Assert.Equal(world.Server.Relayed, world.Client.Relayed);
    }

    // spec: TURN-08
    [Fact]
    public void A_server_that_goes_takes_the_relayed_address_with_it()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Server.IsGone = true;
        world.Pass(TimeSpan.FromMinutes(10));

        Assert.Contains(new TurnLost(), world.Events);
        Assert.True(world.Client.Relayed.IsNone);
        Assert.Null(world.Send(TurnWorld.Peer, s_datagram));
    }

    // spec: TURN-08
    [Fact]
    public void A_server_that_has_forgotten_is_asked_for_another_allocation_at_once()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Server.Restart();
        world.Server.Relayed = world.Server.Relayed.WithPort(50_000);
        world.Client.Recheck(world.Now);
        world.Pass(TimeSpan.Zero);

        Assert.Equal([new TurnAllocated(world.Server.Relayed.WithPort(49_152)), new TurnLost(), new TurnAllocated(world.Server.Relayed)], world.Events);
        Assert.Empty(world.Sentences);
    }

    [Fact]
    public void Questions_whether_the_server_remembers_are_not_asked_too_often()
    {
        TurnWorld world = new TurnWorld().Start();
        for (int i = 0; i < 100; i++)
        {
            world.Client.Recheck(world.Now);
            world.Pass(TimeSpan.FromMilliseconds(100));
        }

        Assert.InRange(world.Server.Log.Count(entry => entry.Method == StunMethod.Refresh), 2, 3);
    }

    // spec: TURN-08
    [Fact]
    public void A_server_that_forgets_just_after_it_was_asked_is_asked_again()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Client.Recheck(world.Now);
        world.Pass(TimeSpan.FromSeconds(1));
        world.Server.Restart();
        world.Client.Recheck(world.Now);
        world.Pass(TimeSpan.FromSeconds(5));

        Assert.Equal([new TurnAllocated(world.Server.Relayed), new TurnLost(), new TurnAllocated(world.Server.Relayed)], world.Events);
    }

    // spec: TURN-08
    [Fact]
    public void Another_socket_is_asked_for_when_the_server_remembers_somebody_elses_allocation()
    {
        var world = new TurnWorld();
        world.Server.Until = Instant.Never;
        world.Start();
        Assert.Equal([new TurnSocketSpent()], world.Events);

        world.Server.Until = null; // Another socket: the server knows nothing of it.
        world.Start();
        Assert.Equal(new TurnAllocated(world.Server.Relayed), world.Events[^1]);
    }

    // spec: TURN-08
    [Fact]
    public void A_server_may_send_its_clients_to_another_one_but_not_for_ever()
    {
        var world = new TurnWorld();
        world.Server.Alternate = NetworkAddress.FromBytes([198, 51, 100, 2], 3479);
        world.Server.Refusal = (StunMethod.Allocate, 300);
        world.Start();
        Assert.Single(world.Sentences);
        Assert.InRange(world.Sent.Count, 4, 8);
    }

    // spec: TURN-08
    [Fact]
    public void An_alternate_server_that_fails_is_left_for_the_one_that_people_named()
    {
        var world = new TurnWorld();
        world.Server.Alternate = NetworkAddress.FromBytes([198, 51, 100, 2], 3479);
        world.Server.Refusal = (StunMethod.Allocate, 300);
        world.Client.Start(world.Now);
        while (world.Client.Server == MemoryTurnServer.Address && world.Client.TryPollTransmit(out ReadOnlyMemory<byte> datagram))
            world.Client.Handle(world.Now, world.Server.Handle(world.Now, datagram.Span)!);
        Assert.Equal(world.Server.Alternate, world.Client.Server);

        world.Server.IsGone = true;
        world.Pass(TimeSpan.FromSeconds(41));
        Assert.Equal(MemoryTurnServer.Address, world.Client.Server);
    }

    // spec: TURN-08
    [Theory]
    [InlineData(192, 168)]
    [InlineData(127, 0)]
    public void An_alternate_server_that_is_less_public_than_the_server_is_not_asked(byte first, byte second)
    {
        var world = new TurnWorld();
        world.Server.Alternate = NetworkAddress.FromBytes([first, second, 0, 1], 3479);
        world.Server.Refusal = (StunMethod.Allocate, 300);
        world.Start();

        Assert.Equal(MemoryTurnServer.Address, world.Client.Server);
        Assert.Equal(2, world.Sent.Count);
        Assert.Single(world.Sentences);
    }

    // spec: TURN-08
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_server_that_forgets_again_and_again_is_asked_less_and_less(bool atRefresh)
    {
        var world = new TurnWorld();
        (world.Server.Lifetime, world.Server.Refusal) = (2, (atRefresh ? StunMethod.Refresh : StunMethod.CreatePermission, 437));
        world.Start();
        for (int i = 0; i < 600; i++)
        {
            world.Send(TurnWorld.Peer, s_datagram);
            world.Pass(TimeSpan.FromSeconds(1));
            world.Client.Recheck(world.Now);
        }

        Assert.InRange(world.Server.Log.Count(entry => entry.Method == StunMethod.Allocate), 5, 14);
    }

    // spec: TURN-08
    [Fact]
    public void After_an_outage_a_session_that_needs_the_server_has_it_asked_at_once()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Server.IsGone = true;
        world.Pass(TimeSpan.FromHours(1));
        world.Pass(world.Client.NextTimeout - world.Now + TimeSpan.FromSeconds(60)); // Within a pause.
        Assert.True(world.Client.NextTimeout - world.Now > TimeSpan.FromMinutes(5));

        world.Server.IsGone = false;
        world.Server.Restart();
        world.Client.Recheck(world.Now);
        world.Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(world.Server.Relayed, world.Client.Relayed);
    }

    // spec: TURN-08
    [Fact]
    public void A_server_that_refuses_is_not_asked_at_every_silence()
    {
        var world = new TurnWorld();
        world.Server.Refusal = (StunMethod.Allocate, 403);
        world.Start();
        for (int i = 0; i < 600; i++)
        {
            world.Client.Recheck(world.Now);
            world.Pass(TimeSpan.FromMilliseconds(100));
        }

        Assert.InRange(world.Sent.Count, 5, 16);
    }
}
