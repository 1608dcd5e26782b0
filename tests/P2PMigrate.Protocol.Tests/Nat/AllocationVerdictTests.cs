using P2PMigrate.Protocol.Nat;

namespace P2PMigrate.Protocol.Tests.Nat;

/// <summary>What samples of outside ports say of how a NAT chooses them.</summary>
[Trait("Spec", "PATH-63")]
public sealed class AllocationVerdictTests
{
    [Theory]
    [InlineData(256)]
    [InlineData(1024)]
    public void Random_ports_of_a_block_are_hardly_ever_taken_for_a_sequence(int size)
    {
        const int Runs = 10_000, Samples = 6;
        var random = new Random(7);
        int sequences = 0;
        for (int run = 0; run < Runs; run++)
        {
            PortSample[] samples = [.. Enumerable.Range(0, Samples).Select(_ => new PortSample(1, (ushort)(40_960 + random.Next(size))))];
            sequences += AllocationVerdict.Of(samples, older: 40_960).Allocation == PortAllocation.Sequential ? 1 : 0;
        }

        Assert.InRange(sequences, 0, Runs / 100);
    }

    [Theory]
    [InlineData(2, 5000, 5002, 5004, 5006)]
    [InlineData(-1, 5003, 5002, 5001, 5000)]
    [InlineData(1, 5000, 5001, 5003, 5004, 5012)] // others get ports of it, too
    [InlineData(20, 5000, 5020, 5040, 5100, 5120)]
    public void Ports_at_equal_distances_are_one(int step, params int[] outside)
    {
        AllocationVerdict verdict = AllocationVerdict.Of([.. outside.Select(port => new PortSample(1, (ushort)port))], older: 4000);
        Assert.Equal((PortAllocation.Sequential, step), (verdict.Allocation, verdict.Step));
    }
}
