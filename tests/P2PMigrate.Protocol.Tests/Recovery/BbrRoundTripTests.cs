using P2PMigrate.Protocol.Recovery;

namespace P2PMigrate.Protocol.Tests.Recovery;

/// <summary>When a flow that keeps a queue has to let it run empty.</summary>
// spec: REC-43, REC-46
public sealed class BbrRoundTripTests
{
    private readonly BbrRoundTrip _roundTrip = new();

    [Fact]
    public void A_probe_that_could_not_be_made_at_once_stays_due()
    {
        Add(0, 20);
        Add(6, 30);
        Assert.True(_roundTrip.IsProbeDue);
        Add(6.1, 31);
        Add(8, 30);
        Assert.True(_roundTrip.IsProbeDue);
        _roundTrip.HandleProbed(At(8));
        Assert.False(_roundTrip.IsProbeDue);
    }

    [Fact]
    public void Nothing_is_due_once_the_smallest_is_seen_again()
    {
        Add(0, 20);
        Add(6, 30);
        Add(6.1, 20.2);
        Assert.False(_roundTrip.IsProbeDue);
    }

    private void Add(double seconds, double milliseconds) => _roundTrip.Add(At(seconds), TimeSpan.FromMilliseconds(milliseconds));

    private static Instant At(double seconds) => new((long)((1 + seconds) * 1e9));
}
