using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>How channels share the server's socket.</summary>
[Trait("Spec", "RLY-30")]
public sealed class FairQueueTests
{
    private static readonly NetworkAddress s_near = NetworkAddress.FromBytes([192, 0, 2, 1], 1);
    private static readonly NetworkAddress s_far = NetworkAddress.FromBytes([192, 0, 2, 2], 2);

    private readonly FairQueue _queue = new();
    private readonly TransmitBatch _batch = new();

    [Fact]
    public void A_train_that_came_together_leaves_together()
    {
        for (byte i = 0; i < 40; i++)
            Add(leg: 1, s_near, length: i == 39 ? 100 : 1200, i);
        _queue.MoveTo(_batch);
        Assert.Equal(1, _batch.Count);
        DatagramTrain train = _batch[0];
        Assert.Equal(40, train.Count);
        byte expected = 0;
        foreach (ReadOnlySpan<byte> frame in train)
            Assert.Equal(expected++, frame[8]);
    }

    [Fact]
    public void A_channel_that_floods_does_not_delay_another_by_more_than_its_turn()
    {
        for (int i = 0; i < 2000; i++)
            Add(leg: 1, s_near, length: 1200);
        Add(leg: 2, s_far, length: 200);

        _queue.MoveTo(_batch);
        Assert.Contains(Trains(), train => train.Remote == s_far);
        Assert.InRange(Trains().Where(train => train.Remote == s_near).Sum(train => train.Length), 1, 2 * FairQueue.Quantum);
    }

    [Fact]
    public void A_channel_that_floods_loses_its_own_frames_and_no_others()
    {
        int lost = 0;
        for (int i = 0; i < FairQueue.Capacity; i++)
            lost += TryAdd(leg: 1, s_near, length: 1200, 0) ? 0 : 1;
        Assert.Equal(FairQueue.Capacity - FairQueue.MaxFrames, lost);
        for (int i = 0; i < FairQueue.MaxFrames; i++)
            Assert.True(TryAdd(leg: 2, s_far, length: 1200, 0));
    }

    [Fact]
    public void Two_floods_get_the_same_bytes_whatever_the_length_of_their_frames()
    {
        var sent = new Dictionary<NetworkAddress, long> { [s_near] = 0, [s_far] = 0 };
        for (int turn = 0; turn < 500; turn++)
        {
            while (TryAdd(leg: 1, s_near, length: 1400, 0))
            {
            }

            while (TryAdd(leg: 2, s_far, length: 300, 0))
            {
            }

            _batch.Clear();
            _queue.MoveTo(_batch);
            foreach ((NetworkAddress remote, int length) in Trains())
                sent[remote] += length;
        }

        Assert.InRange(sent[s_near] / (double)sent[s_far], 0.95, 1.05);
    }

    [Fact]
    public void Slots_come_back()
    {
        for (int round = 0; round < 50; round++)
        {
            for (ulong leg = 1; leg <= 8; leg++)
            {
                for (int i = 0; i < FairQueue.Capacity / 8; i++)
                    Assert.True(TryAdd(leg, s_near, length: 1000, 0));
            }

            Assert.True(_queue.Free.IsEmpty);
            do
            {
                _batch.Clear();
                _queue.MoveTo(_batch);
            }
            while (_batch.Count > 0);
            Assert.Equal(FairQueue.Capacity, _queue.FreeSlots);
        }
    }

    private List<(NetworkAddress Remote, int Length)> Trains()
    {
        var trains = new List<(NetworkAddress, int)>();
        for (int i = 0; i < _batch.Count; i++)
            trains.Add((_batch[i].Remote, _batch[i].Bytes.Length));
        return trains;
    }

    private void Add(ulong leg, NetworkAddress destination, int length, byte mark = 0) => TryAdd(leg, destination, length, mark);

    private bool TryAdd(ulong leg, NetworkAddress destination, int length, byte mark)
    {
        Span<byte> frame = _queue.Free;
        RelayFrame.WriteHeader(frame, new RelayLegId(leg));
        frame[8] = mark;
        return _queue.TryAdd(new RelayLegId(leg), length, destination);
    }
}
