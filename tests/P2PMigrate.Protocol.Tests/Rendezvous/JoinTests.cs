using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using Peer = P2PMigrate.Protocol.Tests.Rendezvous.RendezvousWorld.Peer;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

/// <summary>A relay that has forgotten a channel, and peers that come back to it.</summary>
[Trait("Spec", "RLY-21")]
public sealed class JoinTests : IDisposable
{
    private static readonly ChannelName s_name = ChannelName.Of(new byte[32]);

    private readonly RendezvousWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void After_a_restart_both_peers_have_a_channel_again_through_which_frames_pass()
    {
        (Peer initiator, RelayLegId nearLeg, Peer responder, RelayLegId farLeg) = _world.Meet();
        _world.RestartServer();
        Assert.False(_world.Relay(initiator, nearLeg, [1], out _, out _, out _));

        initiator.Client.Join(_world.Now, s_name, isInitiator: true, nearLeg);
        responder.Client.Join(_world.Now, s_name, isInitiator: false, farLeg);
        _world.Settle();

        RelayLegId near = initiator.Take<ChannelJoined>().Leg;
        RelayLegId far = responder.Take<ChannelJoined>().Leg;
        Assert.NotEqual(nearLeg, near);
        Assert.True(_world.Relay(initiator, near, [1], out NetworkAddress destination, out byte[] frame, out _));
        Assert.Equal(responder.Address, destination);
        Assert.True(RelayFrame.TryParse(frame, out RelayLegId received, out _, out _));
        Assert.Equal(far, received);
        Assert.True(_world.Relay(responder, far, [1], out destination, out _, out _));
        Assert.Equal(initiator.Address, destination);
    }

    [Fact]
    [Trait("Spec", "RLY-22")]
    public void Who_names_his_leg_is_answered_though_others_have_used_up_what_his_host_may_offer()
    {
        using var world = new RendezvousWorld(new RendezvousServerOptions { OffersPerSecondAndHost = 3 });
        (Peer initiator, RelayLegId leg, Peer responder, _) = world.Meet();
        for (int count = 0; count < 10; count++)
            initiator.Client.Offer(world.Now, responder.Id, RendezvousWorld.Init());
        world.Settle();

        initiator.Client.Join(world.Now, s_name, isInitiator: true, leg);
        world.Settle();

        Assert.Equal(leg, initiator.Take<ChannelJoined>().Leg);
    }

    [Fact]
    public void Until_the_other_peer_has_come_frames_go_nowhere()
    {
        (Peer initiator, RelayLegId leg, _, _) = _world.Meet();
        _world.RestartServer();
        initiator.Client.Join(_world.Now, s_name, isInitiator: true, leg);
        _world.Settle();
        Assert.False(_world.Relay(initiator, initiator.Take<ChannelJoined>().Leg, [1], out _, out _, out Refusal refusal));
        Assert.Equal(Refusal.Unexpected, refusal);
    }

    [Fact]
    [Trait("Spec", "RLY-22")]
    public void Frames_that_go_nowhere_do_not_keep_one_side_open_but_asking_does()
    {
        (Peer initiator, RelayLegId leg, _, _) = _world.Meet();
        _world.RestartServer();
        initiator.Client.Join(_world.Now, s_name, isInitiator: true, leg);
        _world.Settle();
        leg = initiator.Take<ChannelJoined>().Leg;
        for (int second = 0; second < 100; second += 10)
        {
            initiator.Client.Join(_world.Now, s_name, isInitiator: true, leg);
            _world.Advance(TimeSpan.FromSeconds(10));
            Assert.False(_world.Relay(initiator, leg, [1], out _, out _, out _));
            Assert.Equal(1, _world.Server.Statistics.Channels);
        }

        for (int second = 0; second < 70; second += 10)
        {
            _world.Advance(TimeSpan.FromSeconds(10));
            Assert.False(_world.Relay(initiator, leg, [1], out _, out _, out _));
        }

        Assert.Equal(0, _world.Server.Statistics.Channels);
    }

    [Fact]
    public void A_relay_that_has_forgotten_nothing_gives_the_same_leg()
    {
        (Peer initiator, RelayLegId leg, _, _) = _world.Meet();
        initiator.Client.Join(_world.Now, s_name, isInitiator: true, leg);
        _world.Settle();
        Assert.Equal(leg, initiator.Take<ChannelJoined>().Leg);
        Assert.Equal(1, _world.Server.Statistics.Channels);
    }

    [Fact]
    [Trait("Spec", "RLY-22")]
    public void A_stranger_who_has_heard_the_name_does_not_get_a_side_that_is_taken()
    {
        (Peer initiator, RelayLegId nearLeg, Peer responder, RelayLegId farLeg) = _world.Meet();
        Peer stranger = _world.AddPeer("198.51.100.66:6", isRegistering: false);
        _world.RestartServer();
        initiator.Client.Join(_world.Now, s_name, isInitiator: true, nearLeg);
        responder.Client.Join(_world.Now, s_name, isInitiator: false, farLeg);
        _world.Settle();
        stranger.Client.Join(_world.Now, s_name, isInitiator: true, RelayLegId.None);
        _world.Advance(TimeSpan.FromSeconds(5));

        Assert.DoesNotContain(stranger.Events, news => news is ChannelJoined);
        Assert.True(_world.Relay(responder, responder.Take<ChannelJoined>().Leg, [1], out NetworkAddress destination, out _, out _));
        Assert.Equal(initiator.Address, destination);
    }

    [Fact]
    public void Lost_messages_are_repeated()
    {
        (Peer initiator, RelayLegId leg, _, _) = _world.Meet();
        int seen = 0;
        _world.Copies = _ => seen++ % 3 == 0 ? 0 : 1;
        initiator.Client.Join(_world.Now, s_name, isInitiator: true, leg);
        _world.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(leg, initiator.Take<ChannelJoined>().Leg);
    }

    [Fact]
    [Trait("Spec", "RLY-06")]
    public void Channels_by_name_count_like_others()
    {
        using var world = new RendezvousWorld(new RendezvousServerOptions { MaxChannelsPerHost = 2 });
        Peer peer = world.AddPeer("198.51.100.1:1", isRegistering: false);
        world.Settle();
        for (byte i = 0; i < 5; i++)
            peer.Client.Join(world.Now, ChannelName.Of([.. new byte[31], i]), isInitiator: true, RelayLegId.None);
        world.Settle();
        Assert.Equal(2, world.Server.Statistics.Channels);
        world.Advance(TimeSpan.FromSeconds(200));
        Assert.Equal(0, world.Server.Statistics.Channels);
    }
}
