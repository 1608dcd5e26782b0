using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Wire;

public sealed class VarIntTests
{
    // The examples of RFC 9000 appendix A.1.
    [Theory]
    [InlineData("c2197c5eff14e88c", 151_288_809_941_952_652)]
    [InlineData("9d7f3e7d", 494_878_333)]
    [InlineData("7bbd", 15_293)]
    [InlineData("25", 37)]
    public void The_published_examples_read_and_write_alike(string hex, ulong value)
    {
        byte[] bytes = Convert.FromHexString(hex);
        Assert.True(VarInt.TryRead(bytes, out ulong read, out int length));
        Assert.Equal((value, bytes.Length), (read, length));
        byte[] written = new byte[VarInt.MaxLength];
        Assert.Equal(bytes, written[..VarInt.Write(written, value)]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(16_383)]
    [InlineData(16_384)]
    [InlineData((1UL << 30) - 1)]
    [InlineData(1UL << 30)]
    [InlineData(VarInt.MaxValue)]
    public void Every_length_reads_back_and_refuses_to_be_cut_short(ulong value)
    {
        byte[] bytes = new byte[VarInt.MaxLength];
        int length = VarInt.Write(bytes, value);
        Assert.Equal(VarInt.LengthOf(value), length);
        Assert.True(VarInt.TryRead(bytes.AsSpan(0, length), out ulong read, out _));
        Assert.Equal(value, read);
        for (int cut = 0; cut < length; cut++)
            Assert.False(VarInt.TryRead(bytes.AsSpan(0, cut), out _, out _));
    }

    [Fact]
    public void A_longer_encoding_than_needed_is_accepted()
    {
        Assert.True(VarInt.TryRead([0x40, 0x25], out ulong value, out int length));
        Assert.Equal((37UL, 2), (value, length));
    }

    [Fact]
    public void A_value_beyond_62_bits_is_our_own_mistake() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => VarInt.LengthOf(VarInt.MaxValue + 1));
}
