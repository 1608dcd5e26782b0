using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Tests.Machines;
using P2PMigrate.Migration.Transfer;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>What a target demands of its disk.</summary>
public sealed class TargetRoomTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(8L << 30)]
    [Trait("Spec", "MIG-27")]
    public void A_target_accepts_only_what_it_has_room_for_with_all_pages_that_may_be_kept(long memory) => Assert.True(
        TargetCheck.NeededBytes(Proposals.Any with { Container = Proposals.Any.Container with { MemoryBytes = memory } })
            >= (2 * Proposals.Any.RootfsBytes) + KeptPages.BytesFor(memory) + memory);
}
