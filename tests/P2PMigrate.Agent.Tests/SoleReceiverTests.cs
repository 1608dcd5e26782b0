using P2PMigrate.Agent.State;

namespace P2PMigrate.Agent.Tests;

/// <summary>One program at a time knows the tickets of a state directory.</summary>
public sealed class SoleReceiverTests : IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("p2pmigrate-sole-").FullName;

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Fact]
    [Trait("Spec", "MIG-153")]
    public void A_second_one_is_told_why_and_may_begin_when_the_first_has_ended()
    {
        using (SoleReceiver.Take(_state))
        {
            UsageException refused = Assert.Throws<UsageException>(() => SoleReceiver.Take(_state));
            Assert.Contains("Another `p2pmigrate receive`", refused.Message, StringComparison.Ordinal);
            Assert.Contains("--state-dir", refused.Message, StringComparison.Ordinal);
        }

        SoleReceiver.Take(_state).Dispose();
    }
}
