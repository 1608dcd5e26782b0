using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Recovery;

namespace P2PMigrate.Protocol.Tests.Connection;

public sealed class DataPathTests
{
    // spec: REC-34
    [Fact]
    public void A_window_that_is_smaller_than_a_datagram_lets_one_go_when_nothing_is_in_flight()
    {
        Instant now = new(1_000_000_000);
        CubicController control = new(1200);
        control.HandlePersistentCongestion(now, inFlight: 0);
        SentFramePool pool = new();
        LossRecovery recovery = new(new(new RecoveryOptions(), TimeSpan.FromMilliseconds(25), pool, new Nobody(), new SeededEntropy(1)), 0)
        {
            RoundTrip = new(TimeSpan.FromMilliseconds(100)),
            Congestion = control,
        };
        CandidatePair pair = new(ForgingPeer.Here, TimeSpan.FromMilliseconds(100), new PathOptions());
        DataPath path = new(1, pair, recovery, new Pacer(1200));
        pair.Sizes.HandleAnswered(now, 8972);
        path.FollowSize(now);

        Assert.InRange(control.Window, 1, path.DatagramSize - 1);
        Assert.True(path.IsWindowOpen);
        recovery.HandleSent(now, path.DatagramSize, RecordedFrames.None, isAckEliciting: true);
        Assert.False(path.IsWindowOpen);
    }

    /// <summary>Nobody wants to know what became of the frames.</summary>
    private sealed class Nobody : ISentFrameSink
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
