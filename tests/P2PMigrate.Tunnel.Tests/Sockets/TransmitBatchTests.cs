using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Sockets;

/// <summary>What a batch keeps with each train.</summary>
public sealed class TransmitBatchTests
{
    private static readonly NetworkAddress s_near = NetworkAddress.FromBytes([192, 0, 2, 1], 1);
    private static readonly NetworkAddress s_far = NetworkAddress.FromBytes([192, 0, 2, 2], 2);

    [Fact]
    public void What_stays_when_others_are_left_out_keeps_its_hop_limit_and_nothing_else_gets_it()
    {
        var batch = new TransmitBatch();
        batch.Add(10, s_near);
        batch.Add(20, s_far);
        batch.LimitLast(hops: 3);
        batch.Add(300, 100, s_far);

        batch.Remove(static remote => remote == s_near);

        Assert.Equal(2, batch.Count);
        Assert.Equal((20, 3), (batch[0].Bytes.Length, batch.HopLimit(0)));
        Assert.Equal((300, 0), (batch[1].Bytes.Length, batch.HopLimit(1)));
    }

    [Fact]
    public void Nothing_joins_a_datagram_that_passes_few_routers_only()
    {
        var batch = new TransmitBatch();
        batch.Add(20, s_far);
        batch.LimitLast(hops: 3);

        batch.Join(20, s_far);

        Assert.Equal(2, batch.Count);
        Assert.Equal((3, 0), (batch.HopLimit(0), batch.HopLimit(1)));
    }
}
