using P2PMigrate.Protocol.Turn;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Turn;

/// <summary>Permissions and channels: who of the peers gets through, and for how long.</summary>
public sealed class TurnPeersTests
{
    private static readonly byte[] s_datagram = [1, 2, 3, 4, 5];

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
}
