using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Connection;

/// <summary>What a peer says of its NATs, in the handshake and later.</summary>
[Trait("Spec", "PATH-61")]
public sealed class NatNewsTests
{
    private static readonly NatProfile s_cone = new() { Mapping = NatMapping.EndpointIndependent, Filtering = NatFiltering.AddressAndPortDependent };
    private static readonly NatProfile s_random = new() { Mapping = NatMapping.AddressAndPortDependent, Allocation = PortAllocation.Random };

    [Fact]
    public void What_was_said_in_the_handshake_is_known_at_once()
    {
        using BackToBack pair = new(change: options => options with { LocalNat = s_cone, RemoteNat = s_random });

        Assert.Equal((s_cone, s_random), (pair.Sender.Agent.LocalNat, pair.Sender.Agent.RemoteNat));
    }

    [Fact]
    public void What_becomes_known_later_is_told()
    {
        using BackToBack pair = new(change: options => options with { RemoteNat = default(NatProfile) });
        pair.Sender.SetLocalNat(s_random);

        pair.Idle(TimeSpan.FromMilliseconds(500));

        Assert.Equal((s_random, s_random), (pair.Sender.Agent.LocalNat, pair.Receiver.RemoteNat));
        pair.Sender.SetLocalNat(s_cone);
        pair.Idle(TimeSpan.FromMilliseconds(500));
        Assert.Equal(s_cone, pair.Receiver.RemoteNat);
        Assert.Equal(default, pair.Sender.RemoteNat);
    }

    [Fact]
    public void What_was_lost_is_told_again_as_it_is_by_then()
    {
        using BackToBack pair = new(change: options => options with { RemoteNat = default(NatProfile) });
        pair.Arrives = _ => false;
        pair.Sender.SetLocalNat(s_random);
        pair.Idle(TimeSpan.FromMilliseconds(500));
        pair.Sender.SetLocalNat(s_cone);
        pair.Arrives = _ => true;

        pair.Idle(TimeSpan.FromSeconds(3));

        Assert.Equal(s_cone, pair.Receiver.RemoteNat);
    }

    [Fact]
    public void What_was_said_first_and_arrives_last_is_not_believed()
    {
        using ForgingPeer peer = new();
        byte[] old = peer.Seal(1, FrameOf(s_random));
        byte[] latest = peer.Seal(1, FrameOf(s_cone));

        peer.Deliver(latest);
        peer.Deliver(old);

        Assert.Equal(s_cone, peer.Connection.RemoteNat);
        peer.Send(1, FrameOf(s_random));
        Assert.Equal(s_random, peer.Connection.RemoteNat);
    }

    [Fact]
    public void A_peer_that_said_nothing_in_the_handshake_is_told_nothing_that_it_would_not_understand()
    {
        using BackToBack pair = new();
        pair.Sender.SetLocalNat(s_random);

        pair.Idle(TimeSpan.FromSeconds(1));

        Assert.Equal(default, pair.Receiver.RemoteNat);
        Assert.Equal(s_random, pair.Sender.Agent.LocalNat);
    }

    private static byte[] FrameOf(NatProfile profile)
    {
        byte[] buffer = new byte[NatFrame.MaxLength];
        var writer = new WireWriter(buffer);
        new NatFrame(profile).Write(ref writer);
        return buffer[..writer.Written];
    }
}
