using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Connection;

/// <summary>Packets that do not open, open no more, or open a second time.</summary>
public sealed class ForgeryTests
{
    private static readonly byte[] s_ping = [(byte)FrameType.Ping];

    // spec: PKT-02
    [Fact]
    public void A_million_forged_packets_change_a_counter_and_allocate_nothing()
    {
        const int Count = 1_000_000;
        using ForgingPeer peer = new();
        byte[] forged = peer.Seal(1, s_ping);
        forged[^1] ^= 1;
        peer.Deliver(forged);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 1; i < Count; i++)
            peer.Deliver(forged);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000);
        Assert.Equal((0L, (long)Count), (peer.Connection.Statistics.DatagramsReceived, peer.Connection.Statistics.DatagramsDropped));
        Assert.Null(peer.Error);
        forged[^1] ^= 1;
        peer.Deliver(forged);
        Assert.Equal(1, peer.Connection.Statistics.DatagramsReceived);
    }

    // spec: PKT-24
    [Fact]
    public void Forgeries_that_wear_a_key_out_make_the_sender_move_to_the_next()
    {
        using ForgingPeer peer = new(keyUpdate: new KeyUpdateOptions { AfterForgeries = 50, MaxForgeries = 100 });
        peer.Send("01");
        peer.Send("01");
        peer.Drain();
        byte[] forged = Forged(peer);
        for (int i = 0; i < 60; i++)
            peer.Deliver(forged);
        Assert.Equal(0, peer.Connection.Statistics.KeyUpdates);
        peer.Connection.TryPollTransmit(peer.Now, new byte[TunnelConnection.MaxDatagramSize], out _);
        Assert.Equal(1, peer.Connection.Statistics.KeyUpdates);
    }

    // spec: PKT-24, HS-34
    [Fact]
    public void At_the_limit_of_forgeries_the_session_ends()
    {
        using ForgingPeer peer = new(keyUpdate: new KeyUpdateOptions { AfterForgeries = 50, MaxForgeries = 100 });
        byte[] forged = Forged(peer); // The peer was never heard in this epoch, so there is no next one to move to.
        for (int i = 0; i < 100; i++)
            peer.Deliver(forged);
        Assert.Equal(TunnelErrorCode.KeyUpdate, peer.Error);
    }

    // spec: PKT-21, PKT-22
    [Fact]
    public void Packets_of_the_epoch_before_are_opened_for_a_while_and_then_never_again()
    {
        using ForgingPeer peer = new();
        byte[] late = peer.Seal(1, s_ping), stale = peer.Seal(1, s_ping);
        peer.Deliver(peer.SealInNextEpoch(1, s_ping));
        Assert.Equal(1, peer.Connection.Statistics.KeyUpdates);
        peer.Deliver(late);
        Assert.Equal(2, peer.Connection.Statistics.DatagramsReceived);

        peer.Now += TimeSpan.FromSeconds(3);
        peer.Connection.HandleTimeout(peer.Now);
        peer.Deliver(stale);
        Assert.Equal((2L, 1L), (peer.Connection.Statistics.DatagramsReceived, peer.Connection.Statistics.DatagramsDropped));
        Assert.Null(peer.Error);
    }

    // spec: PKT-21, PKT-22
    [Fact]
    public void A_packet_that_is_two_epochs_old_never_opens_although_its_key_phase_is_the_present_one()
    {
        using ForgingPeer peer = new();
        byte[] stale = peer.Seal(1, s_ping);
        peer.Deliver(peer.SealInNextEpoch(1, s_ping));
        peer.Now += TimeSpan.FromSeconds(3);
        peer.Connection.HandleTimeout(peer.Now);
        peer.Deliver(peer.SealInLaterEpoch(1, s_ping));
        Assert.Equal(2, peer.Connection.Statistics.KeyUpdates);

        peer.Deliver(stale);
        Assert.Equal((2L, 1L, 2L), (peer.Connection.Statistics.DatagramsReceived, peer.Connection.Statistics.DatagramsDropped, peer.Connection.Statistics.KeyUpdates));
        Assert.Null(peer.Error);
    }

    // spec: PKT-03, HS-35
    [Fact]
    public void A_packet_number_that_is_used_again_for_other_bytes_is_dropped()
    {
        using ForgingPeer peer = new();
        peer.Deliver(peer.Seal(1, s_ping, number: 5));
        peer.Deliver(ForgingPeer.SealAgain(1, [0x13], number: 5)); // An unknown frame: it would end the session.
        Assert.Equal((1L, 1L), (peer.Connection.Statistics.DatagramsReceived, peer.Connection.Statistics.DatagramsDropped));
        Assert.Null(peer.Error);
    }

    // spec: HS-35
    [Fact]
    public void A_batch_that_is_overtaken_by_a_hundred_others_still_counts()
    {
        const int Batch = 64;
        using ForgingPeer peer = new();
        byte[][] late = [.. Enumerable.Range(0, Batch).Select(_ => peer.Seal(1, s_ping))];
        for (int i = 0; i < 100 * Batch; i++)
            peer.Deliver(peer.Seal(1, s_ping));
        foreach (byte[] datagram in late)
            peer.Deliver(datagram);
        Assert.Equal(101L * Batch, peer.Connection.Statistics.DatagramsReceived);
    }

    private static byte[] Forged(ForgingPeer peer)
    {
        byte[] forged = peer.Seal(1, s_ping);
        forged[^1] ^= 1;
        return forged;
    }
}
