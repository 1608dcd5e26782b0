using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Punching;

namespace P2PMigrate.Protocol.Tests.Punching;

[Trait("Spec", "PATH-72")]
public sealed class PortOrderTests
{
    [Fact]
    public void Ports_around_the_newest_one_come_first_then_those_that_Linux_takes_then_all_others()
    {
        ushort[] ports = [.. All(new NatProfile { Allocation = PortAllocation.Random }, 40_000, PortOrder.Near)];
        Assert.Equal([40_001, 39_999, 40_002, 39_998], ports[..4]);
        Assert.All(ports[..128], port => Assert.InRange(port, 39_936, 40_064));
        Assert.All(ports[128..(128 + 28_232)], port => Assert.InRange(port, 32_768, 60_999));
        Assert.Equal(Enumerable.Range(1024, 64_512), ports[128..].Select(port => (int)port).Order());
    }

    [Fact]
    public void A_block_is_tried_whole_and_nothing_else()
    {
        ushort[] ports = [.. All(new NatProfile { Allocation = PortAllocation.Block, LowestPort = 2048, HighestPort = 3071 }, 2500, PortOrder.Near)];
        Assert.Equal(Enumerable.Range(2048, 1024), ports[128..].Select(port => (int)port).Order());
    }

    [Fact]
    public void A_sequence_goes_on_in_its_own_steps_and_after_the_highest_port_from_the_lowest()
    {
        ushort[] ports = [.. All(new NatProfile { Allocation = PortAllocation.Sequential, Step = -2 }, 1026, PortOrder.Near)];
        Assert.Equal([1024, 1028, 65_534, 1030], ports[..4]);
        Assert.Equal(128, ports.Length);
    }

    private static IEnumerable<ushort> All(NatProfile profile, ushort newest, int reach)
    {
        PortOrder order = new(profile, newest, reach, seed: 0x1234_5678_9abc_def0);
        while (order.TryNext(out ushort port))
            yield return port;
    }
}
