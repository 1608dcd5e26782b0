using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol.Tests.Connection;

/// <summary>Several datagrams in one poll.</summary>
public sealed class TrainTests
{
    private const int DatagramSize = 1200;

    [Fact]
    public void Bulk_leaves_in_trains_of_full_datagrams()
    {
        using BackToBack pair = new() { MaxDatagrams = 20, Sent = [] };
        StreamId id = pair.OpenBulk();
        pair.Transfer(id, 2_000_000);

        Assert.All(pair.Sent, train => Assert.InRange(train.Count, 1, 20));
        Assert.All(pair.Sent, train => Assert.True(train.Count == 1 || train.DatagramSize == DatagramSize));
        Assert.True(pair.Sent.Average(train => train.Count) > 5);
        Assert.Equal(0, pair.Receiver.Statistics.DatagramsDropped);
    }

    [Fact]
    public void A_train_ends_with_the_first_datagram_that_is_shorter()
    {
        using BackToBack pair = new() { MaxDatagrams = 20, Sent = [] };
        StreamId id = pair.OpenBulk();
        pair.Transfer(id, 3000);

        Transmit train = pair.Sent.Find(train => train.Count == 3);
        Assert.Equal(DatagramSize, train.DatagramSize);
        Assert.InRange(train.Length, (2 * DatagramSize) + 600, (3 * DatagramSize) - 1);
    }

    [Fact]
    public void A_relay_gets_room_for_its_header_before_each_datagram()
    {
        using BackToBack pair = new(PathKind.Relay, options => options with { RelayHeadroom = 8 }) { MaxDatagrams = 20, Sent = [] };
        StreamId id = pair.OpenBulk();
        pair.Transfer(id, 2_000_000);

        Assert.Contains(pair.Sent, train => train.Count > 10 && train.DatagramSize == DatagramSize + 8);
        Assert.Equal(0, pair.Receiver.Statistics.DatagramsDropped);
    }

    // spec: REC-50
    [Fact]
    public void A_path_that_spoils_trains_soon_gets_packets_that_leave_alone()
    {
        using BackToBack pair = new() { MaxDatagrams = 20, Sent = [] };
        StreamId id = pair.OpenBulk();
        pair.Transfer(id, 100_000);
        pair.Arrives = train => train.Count == 1;
        pair.Transfer(id, 1_000_000);
        pair.Sent.Clear();
        pair.Transfer(id, 1_000_000);
        Assert.All(pair.Sent, train => Assert.Equal(1, train.Count));
    }

    [Fact]
    public void Every_buffer_length_is_enough_for_what_is_put_there()
    {
        using BackToBack pair = new();
        StreamId id = pair.OpenBulk();
        pair.Transfer(id, 500_000);
        pair.Sender.Write(id, new byte[200_000]);
        byte[] buffer = new byte[TunnelConnection.MaxDatagramSize + (3 * DatagramSize)];
        for (int length = TunnelConnection.MaxDatagramSize; pair.Sender.TryPollTransmit(pair.Now, buffer.AsSpan(0, length), 64, out Transmit transmit); length += 400)
        {
            Assert.InRange(transmit.Length, 1, length);
            if (length + 400 > buffer.Length)
                break;
        }
    }

    [Fact]
    public void A_train_that_came_together_is_as_good_as_its_datagrams()
    {
        using BackToBack together = new() { MaxDatagrams = 20, DeliversTrains = true }, apart = new() { MaxDatagrams = 20 };
        foreach (BackToBack pair in (BackToBack[])[together, apart])
            pair.Transfer(pair.OpenBulk(), 2_000_000);
        Assert.Equal(apart.Receiver.Statistics, together.Receiver.Statistics);
        Assert.Equal(apart.Sender.Statistics, together.Sender.Statistics);
    }

    [Fact]
    public void A_forgery_in_a_train_costs_only_itself()
    {
        using BackToBack pair = new() { MaxDatagrams = 20, DeliversTrains = true };
        StreamId id = pair.OpenBulk();
        pair.Transfer(id, 100_000);
        byte[] train = new byte[20 * DatagramSize];
        pair.Sender.Write(id, new byte[50_000]);
        Assert.True(pair.Sender.TryPollTransmit(pair.Now, train, 20, out Transmit transmit));
        Assert.True(transmit.Count > 3);
        train[DatagramSize + 100] ^= 1;
        long before = pair.Receiver.Statistics.DatagramsReceived;

        pair.Receiver.HandleTrain(pair.Now, pair.Path, train.AsSpan(0, transmit.Length), DatagramSize);

        Assert.Equal(1, pair.Receiver.Statistics.DatagramsDropped);
        Assert.Equal(before + transmit.Count - 1, pair.Receiver.Statistics.DatagramsReceived);
        pair.Transfer(id, 50_000); // The rest, the one that was spoilt included.
    }

    [Fact]
    public void A_train_of_datagrams_without_a_size_is_the_owners_fault()
    {
        using BackToBack pair = new();
        Assert.Throws<ArgumentOutOfRangeException>(() => pair.Receiver.HandleTrain(pair.Now, pair.Path, new byte[10], 0));
    }
}
