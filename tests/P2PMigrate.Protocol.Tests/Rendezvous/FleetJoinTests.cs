using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using Peer = P2PMigrate.Protocol.Tests.Rendezvous.FleetWorld.Peer;
using Server = P2PMigrate.Protocol.Tests.Rendezvous.FleetWorld.Server;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

/// <summary>A server of a fleet is gone, and the peers that it relayed for come back to others.</summary>
[Trait("Spec", "RLY-32")]
public sealed class FleetJoinTests : IDisposable
{
    private static readonly ChannelName s_name = ChannelName.Of(new byte[32]);

    private readonly FleetWorld _world = new(servers: 4);

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    [InlineData(1, 1)]
    public void Peers_whose_server_is_gone_have_a_channel_again_whichever_others_they_come_to(int initiatorAt, int responderAt)
    {
        (Peer initiator, Peer responder) = MeetAtFirst();
        Server[] others = [.. _world.Servers];
        _world.Kill(_world.Servers[0]);
        initiator.Server = others[initiatorAt].Address;
        responder.Server = others[responderAt].Address;

        RelayLegId near = Join(initiator, isInitiator: true);
        RelayLegId far = Join(responder, isInitiator: false);
        near = Join(initiator, isInitiator: true, near); // as long as it hears nothing

        AssertJoined(initiator, near, responder, far);
    }

    [Fact]
    public void It_does_not_matter_who_comes_first()
    {
        (Peer initiator, Peer responder) = MeetAtFirst();
        _world.Kill(_world.Servers[0]);
        initiator.Server = _world.Servers[0].Address;
        responder.Server = _world.Servers[1].Address;

        RelayLegId far = Join(responder, isInitiator: false);
        RelayLegId near = Join(initiator, isInitiator: true);

        AssertJoined(initiator, near, responder, far);
    }

    [Theory]
    [Trait("Spec", "RLY-31")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_peer_whose_own_server_lives_has_a_channel_again_when_the_other_peer_has_found_another_server(bool isInitiatorsGone)
    {
        (Peer initiator, RelayLegId near, Peer responder, RelayLegId far) = _world.Meet(); // at the first and the second server
        _world.Relay(initiator, near, [1]);
        responder.Frames.Clear();
        NetworkAddress third = _world.Servers[2].Address;
        _world.Kill(_world.Servers[isInitiatorsGone ? 0 : 1]);
        (isInitiatorsGone ? initiator : responder).Server = third;

        (near, far) = JoinEverySecond(5, initiator, near, responder, far);

        AssertJoined(initiator, near, responder, far);
    }

    [Fact]
    [Trait("Spec", "RLY-31")]
    public void A_channel_whose_other_server_answers_is_kept_though_nothing_comes_from_there()
    {
        (Peer initiator, RelayLegId near, Peer responder, RelayLegId far) = _world.Meet();

        for (int second = 0; second < 30; second++)
        {
            Assert.Equal(near, Join(initiator, isInitiator: true, near));
            _world.Advance(TimeSpan.FromSeconds(1));
        }

        AssertJoined(initiator, near, responder, far);
    }

    [Fact]
    [Trait("Spec", "RLY-31")]
    public void Questions_long_ago_that_nobody_answered_do_not_count()
    {
        (Peer initiator, RelayLegId near, _, _) = _world.Meet();
        _world.Advance(TimeSpan.FromMilliseconds(300)); // until another question may be asked
        int lost = 0;
        _world.Lose = datagram => datagram[0] == FirstByte.Rendezvous && datagram[1] == (byte)RendezvousMessageType.TrunkCheck && ++lost > 0;
        Join(initiator, isInitiator: true, near);
        Assert.Equal(1, lost);
        _world.Lose = _ => false;
        _world.Advance(TimeSpan.FromSeconds(20));

        Assert.Equal(near, Join(initiator, isInitiator: true, near));
    }

    [Fact]
    public void When_messages_between_the_servers_are_lost_joining_again_makes_up_for_it()
    {
        (Peer initiator, Peer responder) = MeetAtFirst();
        _world.Kill(_world.Servers[0]);
        initiator.Server = _world.Servers[0].Address;
        responder.Server = _world.Servers[1].Address;
        int carried = 0;
        _world.Tamper = message => message[1] == (byte)FleetMessageKind.Side && carried++ % 3 != 2 ? null : message;
        (RelayLegId near, RelayLegId far) = (default, default);

        (near, far) = JoinEverySecond(8, initiator, near, responder, far);

        AssertJoined(initiator, near, responder, far);
    }

    [Fact]
    public void When_the_second_server_is_gone_too_the_peers_have_a_channel_at_the_third()
    {
        (Peer initiator, RelayLegId near, Peer responder, RelayLegId far) = JoinAtTwo();

        _world.Kill(_world.Servers[1]);
        responder.Server = _world.Servers[1].Address;
        (near, far) = JoinEverySecond(5, initiator, near, responder, far);

        AssertJoined(initiator, near, responder, far);
    }

    [Fact]
    public void The_name_is_told_to_no_directory()
    {
        (Peer initiator, _) = MeetAtFirst();
        _world.Kill(_world.Servers[0]);
        initiator.Server = _world.Servers[0].Address;
        List<FleetKey> announced = [];
        _world.Announced = announced.Add;

        Join(initiator, isInitiator: true);

        Assert.Contains(FleetKey.OfSide(s_name.Tag, isInitiator: true), announced);
        Assert.DoesNotContain(announced, key => key.High == s_name.Value || key.Low == s_name.Value);
        Assert.NotEqual(s_name.Value, s_name.Tag.Value);
    }

    [Fact]
    [Trait("Spec", "RLY-22")]
    public void A_side_that_a_peer_has_or_a_server_uses_is_not_taken_by_a_message_that_somebody_made_up()
    {
        (Peer initiator, RelayLegId near, Peer responder, RelayLegId far) = JoinAtTwo();
        NetworkAddress liar = RendezvousWorld.Address("192.0.2.66:53");

        Assert.Equal(Refusal.Unexpected, SayMadeUp(_world.Servers[0], isInitiator: false, new RelayLegId(7), liar));
        Assert.Equal(Refusal.Unexpected, SayMadeUp(_world.Servers[0], isInitiator: true, RelayLegId.None, liar));
        Assert.Equal(Refusal.Unexpected, SayMadeUp(_world.Servers[2], isInitiator: true, RelayLegId.None, liar)); // knows no such channel

        AssertJoined(initiator, near, responder, far);
        Assert.DoesNotContain(_world.Sent, sent => sent.To == liar);
    }

    [Fact]
    [Trait("Spec", "RLY-22")]
    public void A_side_that_a_server_has_in_reserve_is_not_taken_by_a_message_that_somebody_made_up()
    {
        (Peer initiator, RelayLegId near, Peer responder, RelayLegId far) = JoinAtTwo();
        _world.Advance(TimeSpan.FromSeconds(30)); // nobody misses anything: another path is in use
        NetworkAddress liar = RendezvousWorld.Address("192.0.2.66:53");

        Assert.Equal(Refusal.Unexpected, SayMadeUp(_world.Servers[0], isInitiator: false, new RelayLegId(7), liar));
        Assert.Equal(Refusal.Unexpected, SayMadeUp(_world.Servers[1], isInitiator: true, RelayLegId.None, liar));

        AssertJoined(initiator, near, responder, far);
        Assert.DoesNotContain(_world.Sent, sent => sent.To == liar);
    }

    [Fact]
    [Trait("Spec", "RLY-22")]
    public void A_peer_that_leaves_a_server_that_lives_has_its_side_again_elsewhere_when_its_partner_misses_it()
    {
        (Peer initiator, RelayLegId near, Peer responder, RelayLegId far) = JoinAtTwo();
        responder.Server = _world.Servers[2].Address;

        (near, far) = JoinEverySecond(8, initiator, near, responder, far);

        AssertJoined(initiator, near, responder, far);
    }

    [Fact]
    [Trait("Spec", "RLY-22")]
    public void A_server_that_was_named_has_its_time_to_answer_before_another_one_counts()
    {
        (Peer initiator, _) = MeetAtFirst();
        _world.Kill(_world.Servers[0]);
        initiator.Server = _world.Servers[0].Address;
        RelayLegId near = Join(initiator, isInitiator: true);
        NetworkAddress[] victims = [.. Enumerable.Range(1, 3).Select(host => RendezvousWorld.Address($"192.0.2.{host}:53"))];

        Assert.Equal(Refusal.None, SayMadeUp(_world.Servers[0], isInitiator: false, new RelayLegId(7), victims[0]));
        Assert.Equal(Refusal.Unexpected, SayMadeUp(_world.Servers[0], isInitiator: false, new RelayLegId(7), victims[1]));
        _world.Advance(TimeSpan.FromSeconds(1.9));
        _world.Relay(initiator, near, new byte[100]); // asks the first one once more
        _world.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(Refusal.None, SayMadeUp(_world.Servers[0], isInitiator: false, new RelayLegId(7), victims[2]));
        Assert.Equal([2, 0, 0], victims.Select(Questions)); // not before its time
        _world.Advance(TimeSpan.FromSeconds(0.1));
        _world.Relay(initiator, near, new byte[100]);

        Assert.Equal([2, 0, 1], victims.Select(Questions));
    }

    [Fact]
    [Trait("Spec", "RLY-22")]
    public void A_peer_that_comes_by_name_need_not_wait_for_a_server_that_somebody_made_up()
    {
        (Peer initiator, Peer responder) = MeetAtFirst();
        _world.Kill(_world.Servers[0]);
        initiator.Server = responder.Server = _world.Servers[0].Address;
        RelayLegId near = Join(initiator, isInitiator: true);
        SayMadeUp(_world.Servers[0], isInitiator: false, new RelayLegId(7), RendezvousWorld.Address("192.0.2.66:53"));

        RelayLegId far = Join(responder, isInitiator: false);

        AssertJoined(initiator, near, responder, far);
    }

    [Fact]
    [Trait("Spec", "RDV-47")]
    public void A_server_that_somebody_made_up_gets_one_question_and_no_frames()
    {
        (Peer initiator, _) = MeetAtFirst();
        _world.Kill(_world.Servers[0]);
        initiator.Server = _world.Servers[0].Address;
        RelayLegId near = Join(initiator, isInitiator: true);
        NetworkAddress victim = RendezvousWorld.Address("192.0.2.66:53");

        for (int count = 0; count < 50; count++)
        {
            SayMadeUp(_world.Servers[0], isInitiator: false, new RelayLegId(7), victim);
            _world.Relay(initiator, near, new byte[1000]);
        }

        (NetworkAddress From, NetworkAddress To, byte[] Datagram) sent = Assert.Single(_world.Sent, sent => sent.To == victim);
        Assert.Equal((byte)RendezvousMessageType.TrunkCheck, sent.Datagram[1]);
    }

    private (Peer Initiator, Peer Responder) MeetAtFirst()
    {
        Peer responder = _world.AddPeer("198.51.100.2:2000", _world.Servers[0], isRegistering: true);
        Peer initiator = _world.AddPeer("198.51.100.1:1000", _world.Servers[0], isRegistering: false);
        _world.Settle();
        return (initiator, responder);
    }

    // By name, after the server at which they met has gone.
    private (Peer Initiator, RelayLegId Near, Peer Responder, RelayLegId Far) JoinAtTwo()
    {
        (Peer initiator, Peer responder) = MeetAtFirst();
        _world.Kill(_world.Servers[0]);
        initiator.Server = _world.Servers[0].Address;
        responder.Server = _world.Servers[1].Address;
        RelayLegId near = Join(initiator, isInitiator: true), far = Join(responder, isInitiator: false);
        AssertJoined(initiator, near, responder, far);
        return (initiator, near, responder, far);
    }

    private int Questions(NetworkAddress to) => _world.Sent.Count(sent => sent.To == to && sent.Datagram[1] == (byte)RendezvousMessageType.TrunkCheck);

    private RelayLegId Join(Peer peer, bool isInitiator, RelayLegId leg = default)
    {
        peer.Client.Join(_world.Now, s_name, isInitiator, leg);
        _world.Settle();
        return peer.Take<ChannelJoined>().Leg;
    }

    private (RelayLegId Near, RelayLegId Far) JoinEverySecond(int seconds, Peer initiator, RelayLegId near, Peer responder, RelayLegId far)
    {
        for (int second = 0; second < seconds; second++)
        {
            near = Join(initiator, isInitiator: true, near);
            far = Join(responder, isInitiator: false, far);
            _world.Advance(TimeSpan.FromSeconds(1));
        }

        return (near, far);
    }

    private void AssertJoined(Peer initiator, RelayLegId near, Peer responder, RelayLegId far)
    {
        initiator.Frames.Clear();
        responder.Frames.Clear();
        _world.Relay(initiator, near, [1, 2, 3]);
        _world.Relay(responder, far, [4]);
        Assert.Equal([1, 2, 3], Inner(Assert.Single(responder.Frames), far));
        Assert.Equal([4], Inner(Assert.Single(initiator.Frames), near));
    }

    private Refusal SayMadeUp(Server to, bool isInitiator, RelayLegId trunk, NetworkAddress server)
    {
        byte[] buffer = new byte[FleetHeader.MaxSize];
        WireWriter writer = new FleetHeader(FleetMessageKind.Side, default, new ServerId(99)).Begin(buffer);
        new FleetSide(s_name.Tag, isInitiator, trunk, server).Write(ref writer);
        Refusal refusal = to.Core.HandleFleetMessage(_world.Now, buffer.AsSpan(0, writer.Written));
        _world.Settle();
        return refusal;
    }

    private static byte[] Inner(byte[] frame, RelayLegId leg)
    {
        Assert.True(RelayFrame.TryParse(frame, out RelayLegId received, out ReadOnlySpan<byte> inner, out _));
        Assert.Equal(leg, received);
        return inner.ToArray();
    }
}
