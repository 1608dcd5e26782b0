using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Connection;

/// <summary>What a label takes over from the one before it, and what is left of one that is given to another path.</summary>
public sealed class DataPathsTests : IDisposable
{
    private const int Size = 1000;

    private readonly Instant _now = new(1_000_000_000);
    private readonly KeySchedule _keys = new(ProtectionSuite.ChaCha20Poly1305, new byte[KeySchedule.SecretSize], new byte[KeySchedule.SecretSize]);
    private readonly TunnelConnectionOptions _options;
    private readonly DataPaths _paths;

    public DataPathsTests()
    {
        _options = new TunnelConnectionOptions
        {
            Role = ConnectionRole.Initiator,
            Keys = _keys,
            LocalConnectionId = new ConnectionId(1),
            RemoteConnectionId = new ConnectionId(2),
            Entropy = new SeededEntropy(1),
        };
        _paths = new(_options, new(_options.Recovery, TimeSpan.FromMilliseconds(25), new SentFramePool(), new NoSink(), _options.Entropy));
    }

    // spec: PATH-32, REC-33
    [Fact]
    public void A_NAT_that_chose_another_port_leaves_round_trip_and_controller_as_they_were()
    {
        _paths.MoveTo(_now, Pair(host: 1, port: 1000));
        DataPath before = _paths.Primary!;
        before.Recovery.RoundTrip.Add(_now, TimeSpan.FromMilliseconds(70), TimeSpan.Zero);
        before.Recovery.HandleSent(_now, Size, RecordedFrames.None, isAckEliciting: true);

        _paths.MoveTo(_now, Pair(host: 1, port: 2000));
        DataPath after = _paths.Primary!;
        Assert.NotEqual(before.Label, after.Label);
        Assert.Same(before.Recovery.Congestion, after.Recovery.Congestion);
        Assert.Same(before.Recovery.RoundTrip, after.Recovery.RoundTrip);
        Assert.Same(before.Recovery.Delivery, after.Recovery.Delivery);
        Assert.Equal((0L, 0L), (before.Recovery.BytesInFlight, after.Recovery.BytesInFlight));
    }

    // spec: REC-33
    [Fact]
    public void Another_host_has_a_controller_of_its_own()
    {
        _paths.MoveTo(_now, Pair(host: 1, port: 1000));
        DataPath before = _paths.Primary!;
        _paths.MoveTo(_now, Pair(host: 2, port: 1000));
        Assert.NotSame(before.Recovery.Congestion, _paths.Primary!.Recovery.Congestion);
        Assert.NotSame(before.Recovery.RoundTrip, _paths.Primary.Recovery.RoundTrip);
    }

    // spec: REC-01
    [Fact]
    public void A_path_that_was_measured_while_it_was_not_primary_leaves_nothing_overdue_when_it_is_primary_again()
    {
        CandidatePair near = Pair(host: 1, port: 1000), far = Pair(host: 2, port: 1000);
        _paths.MoveTo(_now, near);
        _paths.Primary!.Recovery.HandleSent(_now, Size, RecordedFrames.None, isAckEliciting: true);
        _paths.MoveTo(_now, far);
        near.RoundTrip.Add(_now, TimeSpan.FromMilliseconds(5), TimeSpan.Zero);

        Instant later = _now + TimeSpan.FromMilliseconds(200);
        _paths.HandleTimeout(later);
        _paths.MoveTo(later, near);
        _paths.MoveTo(later, near); // As after every input.
        Assert.Equal(TimeSpan.FromMilliseconds(5), _paths.Primary.Recovery.RoundTrip.Smoothed);
        Assert.InRange(_paths.NextTimeout!.Value - later, TimeSpan.FromTicks(1), TimeSpan.FromMilliseconds(100));
    }

    // spec: REC-02
    [Fact]
    public void Data_that_returns_to_a_path_does_not_wait_as_long_as_it_once_had_to()
    {
        CandidatePair relay = Pair(host: 1, port: 1000), direct = Pair(host: 2, port: 1000);
        _paths.MoveTo(_now, relay);
        _paths.Primary!.Recovery.RoundTrip.Add(_now, TimeSpan.FromMilliseconds(500), TimeSpan.Zero); // A machine that was just starting.
        _paths.MoveTo(_now, direct);

        Instant later = _now + TimeSpan.FromSeconds(5);
        relay.RoundTrip.Add(later, TimeSpan.FromMilliseconds(20), TimeSpan.Zero);
        _paths.MoveTo(later, relay);
        _paths.Primary.Recovery.HandleSent(later, Size, RecordedFrames.None, isAckEliciting: true);
        _paths.MoveTo(later, direct);

        Assert.InRange(_paths.NextTimeout!.Value - later, TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(100));
    }

    // spec: PKT-04
    [Fact]
    public void What_was_lost_under_a_label_still_counts_when_another_path_has_it()
    {
        const int Moves = 3 * DataPaths.MaxLabels;
        for (int i = 0; i < Moves; i++)
        {
            _paths.MoveTo(_now, Pair((byte)(i + 1), port: 1000));
            _paths.Primary!.Recovery.HandleSent(_now, Size, RecordedFrames.None, isAckEliciting: true);
            _paths.Primary.Recovery.Abandon();
            Assert.Equal(i + 1, _paths.LostCount);
        }

        Assert.InRange(_paths.Primary!.Recovery.NextPacketNumber, 3UL, 4UL); // The numbers of a label go on.
    }

    public void Dispose() => _keys.Dispose();

    private CandidatePair Pair(byte host, ushort port) =>
        new(new PathAddress(LocalInterface.Socket(0), NetworkAddress.FromBytes([192, 0, 2, host], port)), TimeSpan.FromMilliseconds(100), _options.Paths)
        {
            State = PairState.Validated,
        };

    private sealed class NoSink : ISentFrameSink
    {
        public void HandleAcked(in SentFrame frame)
        {
        }

        public void HandleAckedAll()
        {
        }

        public void HandleLost(in SentFrame frame)
        {
        }
    }
}
