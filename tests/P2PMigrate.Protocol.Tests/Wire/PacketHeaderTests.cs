using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Wire;

public sealed class PacketHeaderTests
{
    private static readonly PacketHeader s_header = new(KeyPhase: true, PathId: 7, PacketNumberLow: 0x0A0B0C0D, new ConnectionId(0x1122334455667788));

    [Fact]
    public void The_header_has_the_documented_bytes()
    {
        Span<byte> bytes = stackalloc byte[PacketHeader.Size];

        s_header.Write(bytes);

        Assert.Equal("480700000D0C0B0A8877665544332211", Convert.ToHexString(bytes));
        Assert.True(PacketHeader.TryParse(bytes, out PacketHeader parsed, out _));
        Assert.Equal(s_header, parsed);
    }

    [Fact]
    public void A_header_cut_at_any_length_is_refused()
    {
        byte[] bytes = new byte[PacketHeader.Size];
        s_header.Write(bytes);

        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.False(PacketHeader.TryParse(bytes.AsSpan(0, length), out _, out Refusal refusal));
            Assert.Equal(Refusal.Truncated, refusal);
        }
    }

    [Fact]
    [Trait("Spec", "HS-01")]
    public void Every_first_byte_has_one_meaning()
    {
        var expected = new Dictionary<int, DatagramType>
        {
            [0x40] = DatagramType.Packet,
            [0x48] = DatagramType.Packet,
            [0x51] = DatagramType.HandshakeInit,
            [0x52] = DatagramType.HandshakeResponse,
            [0x53] = DatagramType.CookieReply,
            [0x60] = DatagramType.Rendezvous,
            [0x70] = DatagramType.RelayFrame,
        };

        for (int first = 0; first <= 0xff; first++)
        {
            DatagramType type = FirstByte.Classify([(byte)first]);
            Assert.Equal(first < 0x40 ? DatagramType.Stun : expected.GetValueOrDefault(first, DatagramType.Unknown), type);
        }

        Assert.Equal(DatagramType.Unknown, FirstByte.Classify([]));
    }

    [Theory]
    [InlineData(0u, -1, 0ul)]
    [InlineData(5u, 3, 5ul)]
    [InlineData(1u, 5, 1ul)]
    [InlineData(0u, 0xFFFFFFFF, 0x1_0000_0000ul)]
    [InlineData(0xFFFFFFFFu, 0x1_0000_0003, 0xFFFFFFFFul)]
    [InlineData(3u, 0x2_FFFF_FFF0, 0x3_0000_0003ul)]
    [InlineData(0xFFFFFFFFu, 2, 0xFFFFFFFFul)]
    public void A_short_packet_number_expands_to_the_nearest_full_one(uint low, long largest, ulong expected) =>
        Assert.Equal(expected, PacketHeader.ExpandPacketNumber(low, largest));
}
