using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Connection;

/// <summary>A peer that asks for acknowledgements and gives none.</summary>
public sealed class SilentPeerTests
{
    private readonly byte[] _ping = [(byte)FrameType.Ping];
    private ulong _number;

    // spec: REC-17
    [Fact]
    public void A_peer_that_never_acknowledges_cannot_make_the_loop_spin_and_is_left_in_the_end()
    {
        using ForgingPeer peer = new();
        for (int i = 0; i < 70_000; i++)
            Ping(peer);
        Assert.True(peer.Connection.NextTimeout > peer.Now, "something is due that cannot be done");

        List<byte> seen = [];
        for (int turn = 0; turn < 1_000 && peer.Error is null; turn++)
        {
            peer.Now = Instant.Max(peer.Now, peer.Connection.NextTimeout!.Value);
            peer.Connection.HandleTimeout(peer.Now);
            seen = Ping(peer);
        }

        Assert.Equal(TunnelErrorCode.ProtocolViolation, peer.Error);
        Assert.Contains((byte)FrameType.Close, seen);
    }

    // spec: REC-17, REC-21
    [Fact]
    public void A_peer_that_went_silent_until_no_number_was_left_is_asked_and_goes_on_when_it_answers()
    {
        using ForgingPeer peer = new();
        for (int i = 0; i < 70_000; i++)
            Ping(peer);
        ulong before = peer.LargestUnderLabel1!.Value;
        Assert.Empty(Ping(peer)); // Not even acknowledged any more.

        peer.Now = Instant.Max(peer.Now, peer.Connection.NextTimeout!.Value);
        while (peer.LargestUnderLabel1 == before)
        {
            peer.Connection.HandleTimeout(peer.Now);
            Ping(peer);
            peer.Now = Instant.Max(peer.Now, peer.Connection.NextTimeout!.Value);
        }

        peer.Acknowledge(carrier: 2, peer.LargestUnderLabel1!.Value);
        Assert.Contains((byte)FrameType.Ack, Ping(peer));
        Assert.Null(peer.Error);
    }

    // Every second number is out of order and is answered at once. Probes are answered, so the path stays.
    private List<byte> Ping(ForgingPeer peer)
    {
        peer.Deliver(peer.Seal(1, _ping, _number += 2));
        List<byte> first = [];
        foreach ((_, _, byte[] frames, _) in peer.Drain())
        {
            first.Add(frames[0]);
            if (frames[0] == (byte)FrameType.PathChallenge)
                peer.Send(0, [(byte)FrameType.PathResponse, .. frames.AsSpan(1, 8), 4, 192, 0, 2, 2, 0xE8, 3]);
        }

        return first;
    }
}
