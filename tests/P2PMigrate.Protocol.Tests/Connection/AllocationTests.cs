using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol.Tests.Connection;

/// <summary>What a packet costs in memory.</summary>
public sealed class AllocationTests
{
    public static TheoryData<int, ProtectionSuite> Ways =>
        [.. new[] { 1, 54 }.SelectMany(_ => ProtectionSuites.Supported, (maxDatagrams, suite) => (maxDatagrams, suite))];

    [Theory]
    [MemberData(nameof(Ways))]
    public void A_packet_allocates_nothing_in_steady_state(int maxDatagrams, ProtectionSuite suite)
    {
        using BackToBack pair = new(suite: suite) { MaxDatagrams = maxDatagrams };
        StreamId id = pair.OpenBulk();
        Instant warm = pair.Now + TimeSpan.FromSeconds(5); // Probes and keep-alives have been there once.
        while (pair.Now < warm)
            pair.Transfer(id, 1_000_000);
        long packets = pair.Sender.Statistics.DatagramsSent;
        long before = GC.GetAllocatedBytesForCurrentThread();
        pair.Transfer(id, 30_000_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(pair.Sender.Statistics.DatagramsSent > packets + 20_000);
        Assert.Equal(0, allocated);
    }
}
