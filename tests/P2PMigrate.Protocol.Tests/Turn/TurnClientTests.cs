using P2PMigrate.Protocol.Turn;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Turn;

/// <summary>The life of an allocation under a virtual clock, with a server that loses, forgets and refuses.</summary>
public sealed class TurnClientTests
{
    private static readonly byte[] s_datagram = [1, 2, 3, 4, 5];

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

    // spec: TURN-02
    [Fact]
    public void Errors_without_a_proof_count_too()
    {
        var world = new TurnWorld();
        (world.Server.SignsErrors, world.Server.Refusal) = (false, (StunMethod.Allocate, 441));
        world.Start();

        Assert.Contains("another user", Assert.Single(world.Sentences), StringComparison.Ordinal);
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

    // spec: TURN-03
    [Fact]
    public void A_server_that_forgets_while_nobody_talks_is_noticed_within_a_minute()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Server.Restart();
        world.Pass(TimeSpan.FromSeconds(61));

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

    // spec: TURN-05
    [Fact]
    public void A_peer_gets_nothing_before_it_has_a_permission_which_is_asked_for()
    {
        TurnWorld world = new TurnWorld().Start();

        Assert.Null(world.Receive(TurnWorld.Peer, s_datagram));
        Assert.Null(world.Send(TurnWorld.Peer, s_datagram));
        Assert.Equal(s_datagram, world.Send(TurnWorld.Peer, s_datagram));
        Assert.Equal(s_datagram, world.Send(TurnWorld.Peer.WithPort(1), s_datagram)); // Of the host, not of the port.
    }

    // spec: TURN-06
    [Fact]
    public void What_a_peer_sends_gives_it_a_channel()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Send(TurnWorld.Peer, s_datagram);
        Assert.Equal(0, world.Server.Channels);

        Assert.Equal(s_datagram, world.Receive(TurnWorld.Peer, s_datagram)); // As an indication, which asks for the channel.
        Assert.Equal(1, world.Server.Channels);
        Assert.Equal(s_datagram, world.Receive(TurnWorld.Peer, s_datagram));
        Assert.Equal(s_datagram, world.Send(TurnWorld.Peer, s_datagram));
        Assert.Equal(ChannelData.First, world.Client.ChannelOf(world.Now, TurnWorld.Peer));
    }

    // spec: TURN-06
    [Fact]
    public void Ports_of_a_host_that_nobody_sent_to_get_no_channels()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Send(TurnWorld.Peer, s_datagram);
        for (ushort port = 1; port <= 300; port++)
            Assert.Equal(s_datagram, world.Receive(TurnWorld.Peer.WithPort(port), s_datagram));
        Assert.Equal(0, world.Server.Channels);

        world.Receive(TurnWorld.Peer, s_datagram);
        Assert.Equal(1, world.Server.Channels);
    }

    // spec: TURN-06
    [Theory]
    [InlineData(5)]
    [InlineData(9)]
    [InlineData(12)]
    [InlineData(30)]
    public void A_peer_that_was_silent_for_some_minutes_is_heard_again_at_once(int minutes)
    {
        TurnWorld world = new TurnWorld().Start();
        world.Send(TurnWorld.Peer, s_datagram);
        world.Receive(TurnWorld.Peer, s_datagram);
        world.Pass(TimeSpan.FromMinutes(minutes));

        world.Send(TurnWorld.Peer, s_datagram); // Asks for the permission.
        Assert.Equal(s_datagram, world.Send(TurnWorld.Peer, s_datagram));
        Assert.Equal(s_datagram, world.Receive(TurnWorld.Peer, s_datagram));
        Assert.Equal(s_datagram, world.Receive(TurnWorld.Peer, s_datagram));
        Assert.NotEqual(0, world.Client.ChannelOf(world.Now, TurnWorld.Peer));
        Assert.DoesNotContain(world.Server.Log, entry => entry.Code == 400);
    }

    // spec: TURN-06
    [Fact]
    public void A_channel_whose_grant_got_lost_is_asked_for_with_the_same_number()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Send(TurnWorld.Peer, s_datagram);
        world.Server.Losses = 7;
        Assert.Equal(s_datagram, world.Receive(TurnWorld.Peer, s_datagram));
        for (int i = 0; i < 150; i++)
        {
            world.Pass(TimeSpan.FromSeconds(1));
            Assert.Equal(s_datagram, world.Send(TurnWorld.Peer, s_datagram));
            Assert.Equal(s_datagram, world.Receive(TurnWorld.Peer, s_datagram));
        }

        Assert.NotEqual(0, world.Client.ChannelOf(world.Now, TurnWorld.Peer));
        Assert.DoesNotContain(world.Server.Log, entry => entry.Code == 400);
    }

    // spec: TURN-05, TURN-06
    [Fact]
    public void Permissions_and_channels_in_use_are_renewed_in_time()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Send(TurnWorld.Peer, s_datagram);
        world.Receive(TurnWorld.Peer, s_datagram);
        for (int i = 0; i < 360; i++)
        {
            Assert.Equal(s_datagram, world.Send(TurnWorld.Peer, s_datagram));
            Assert.Equal(s_datagram, world.Receive(TurnWorld.Peer, s_datagram));
            world.Pass(TimeSpan.FromSeconds(10));
        }

        Assert.InRange(world.Server.Log.Count(entry => entry.Method == StunMethod.CreatePermission), 13, 17);
        Assert.InRange(world.Server.Log.Count(entry => entry.Method == StunMethod.ChannelBind), 13, 17);
    }

    // spec: TURN-05
    [Fact]
    public void What_is_not_used_is_not_renewed()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Send(TurnWorld.Peer, s_datagram);
        world.Receive(TurnWorld.Peer, s_datagram);
        world.Pass(TimeSpan.FromHours(1));

        Assert.InRange(world.Server.Log.Count(entry => entry.Method is StunMethod.CreatePermission or StunMethod.ChannelBind), 2, 4);
        Assert.Null(world.Receive(TurnWorld.Peer, s_datagram));
    }

    // spec: TURN-05
    [Fact]
    public void A_host_that_the_server_forbids_is_asked_for_again_after_a_minute_only()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Server.Refusal = (StunMethod.CreatePermission, 403);
        for (int i = 0; i < 50; i++)
            Assert.Null(world.Send(TurnWorld.Peer, s_datagram));
        Assert.Single(world.Server.Log, entry => entry.Method == StunMethod.CreatePermission);
        Assert.Empty(world.Sentences);

        world.Server.Refusal = null;
        world.Pass(TimeSpan.FromSeconds(61));
        world.Send(TurnWorld.Peer, s_datagram);
        Assert.Equal(s_datagram, world.Send(TurnWorld.Peer, s_datagram));
    }

    // spec: TURN-05
    [Fact]
    public void There_are_so_many_permissions_and_no_more()
    {
        TurnWorld world = new TurnWorld().Start();
        for (int i = 1; i <= 200; i++)
            world.Send(NetworkAddress.FromBytes([203, 0, 113, (byte)i], 1), s_datagram, session: (ulong)i);
        Assert.Equal(64, world.Server.Log.Count(entry => entry.Method == StunMethod.CreatePermission));

        world.Pass(TimeSpan.FromSeconds(70)); // The first have not been used since.
        world.Send(NetworkAddress.FromBytes([203, 0, 113, 200], 1), s_datagram);
        Assert.NotNull(world.Send(NetworkAddress.FromBytes([203, 0, 113, 200], 1), s_datagram));
    }

    // spec: TURN-05
    [Fact]
    public void A_session_whose_peer_names_many_hosts_leaves_room_for_the_others()
    {
        TurnWorld world = new TurnWorld().Start();
        for (int i = 1; i <= 200; i++)
            world.Send(NetworkAddress.FromBytes([203, 0, 113, (byte)i], 1), s_datagram, session: 1);
        Assert.Equal(8, world.Server.Log.Count(entry => entry.Method == StunMethod.CreatePermission));

        NetworkAddress other = NetworkAddress.FromBytes([203, 0, 113, 201], 1);
        world.Send(other, s_datagram, session: 2);
        Assert.Equal(s_datagram, world.Send(other, s_datagram, session: 2));
        world.Pass(TimeSpan.FromSeconds(70));
        NetworkAddress late = other.WithPort(2);
        world.Send(NetworkAddress.FromBytes([203, 0, 113, 202], 1), s_datagram, session: 1);
        Assert.Equal(s_datagram, world.Send(NetworkAddress.FromBytes([203, 0, 113, 202], 1), s_datagram, session: 1));
        Assert.Equal(s_datagram, world.Send(late, s_datagram, session: 2)); // Its own was the one to go.
    }

    // spec: TURN-06
    [Fact]
    public void Long_datagrams_wait_for_the_channel()
    {
        TurnWorld world = new TurnWorld().Start();
        world.Send(TurnWorld.Peer, s_datagram);

        Assert.NotNull(world.Send(TurnWorld.Peer, new byte[TurnClient.MaxIndicated]));
        Assert.Null(world.Send(TurnWorld.Peer, new byte[TurnClient.MaxIndicated + 1]));
        world.Receive(TurnWorld.Peer, s_datagram);
        Assert.NotNull(world.Send(TurnWorld.Peer, new byte[9000]));
    }

    // spec: TURN-02
    [Fact]
    public void Nobody_who_does_not_know_the_password_can_grant_anything()
    {
        var world = new TurnWorld();
        world.Client.Start(world.Now);
        Assert.True(world.Client.TryPollTransmit(out ReadOnlyMemory<byte> request));
        world.Client.Handle(world.Now, world.Server.Handle(world.Now, request.Span)!);
        Assert.True(world.Client.TryPollTransmit(out request));
        Assert.True(StunMessage.TryParse(request.Span, out StunMessage message, out _));
        byte[] buffer = new byte[200];
        foreach (byte[]? key in (byte[]?[])[null, new byte[16]])
        {
            var forged = new StunWriter(buffer, StunMethod.Allocate, StunClass.Success, message.Id);
            forged.Add(StunAttribute.XorRelayedAddress, TurnWorld.Peer);
            int length = key is null ? forged.Finish() : forged.FinishWithIntegrity(key);
            Assert.Equal(Refusal.BadMac, world.Client.Handle(world.Now, buffer.AsSpan(0, length)));
        }

        Assert.True(world.Client.Relayed.IsNone);
    }

    // spec: TURN-02
    [Fact]
    public void Nobody_can_grant_anything_before_the_server_has_asked_who_we_are()
    {
        var world = new TurnWorld();
        world.Client.Start(world.Now);
        Assert.True(world.Client.TryPollTransmit(out ReadOnlyMemory<byte> request));
        Assert.True(StunMessage.TryParse(request.Span, out StunMessage message, out _));
        byte[] buffer = new byte[200];
        var forged = new StunWriter(buffer, StunMethod.Allocate, StunClass.Success, message.Id);
        forged.Add(StunAttribute.XorRelayedAddress, TurnWorld.Peer);

        Assert.Equal(Refusal.BadMac, world.Client.Handle(world.Now, buffer.AsSpan(0, forged.Finish())));
        Assert.True(world.Client.Relayed.IsNone);
        world.Pass(TimeSpan.FromSeconds(1)); // The question is open still, and asked again.
        Assert.Equal(world.Server.Relayed, world.Client.Relayed);
    }

    // spec: TURN-03
    [Theory]
    [InlineData(0xFF)]
    [InlineData(0x00)]
    [InlineData((byte)'x')]
    public void A_realm_that_is_no_text_is_said_back_as_it_came(byte filler)
    {
        var world = new TurnWorld();
        world.Server.Realm = [.. Enumerable.Repeat(filler, 763)];
        world.Server.Nonce = new string('n', 763);
        world.Start();

        Assert.Equal(2, world.Sent.Count);
        Assert.True(StunMessage.TryParse(world.Sent[1], out StunMessage message, out _));
        Assert.True(message.TryFind(StunAttribute.Realm, out ReadOnlySpan<byte> realm) && realm.SequenceEqual(world.Server.Realm));
        Assert.Equal(world.Server.Relayed, world.Client.Relayed);
    }

    // spec: TURN-05
    [Fact]
    public void Datagrams_of_peers_that_nobody_sent_to_are_dropped()
    {
        TurnWorld world = new TurnWorld().Start();
        byte[] buffer = new byte[200];
        var writer = new StunWriter(buffer, StunMethod.Data, StunClass.Indication, default);
        writer.Add(StunAttribute.XorPeerAddress, TurnWorld.Peer);
        writer.Add(StunAttribute.Data, s_datagram);

        Assert.False(world.Client.TryUnwrap(world.Now, buffer.AsSpan(0, writer.Finish()), out _, out _));
        Assert.False(world.Client.TryUnwrap(world.Now, [0x40, 0, 0, 1, 9], out _, out _));
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

    [Fact]
    public void Bytes_of_nobody_do_no_harm()
    {
        TurnWorld world = new TurnWorld().Start();
        var entropy = new SeededEntropy(3);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = entropy.Take(i % 90);
            world.Client.Handle(world.Now, bytes);
            world.Client.TryUnwrap(world.Now, bytes, out _, out _);
        }

        Assert.Single(world.Events);
    }
}
