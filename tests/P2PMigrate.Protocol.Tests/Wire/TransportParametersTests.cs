using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Wire;

public sealed class TransportParametersTests
{
    private static readonly TransportParameters s_odd = new()
    {
        Control = new(1, 2, 3),
        Urgent = new(1 << 14, 1 << 30, 77),
        Bulk = new(VarInt.MaxValue, 5, 6),
        IdleTimeout = TimeSpan.FromMilliseconds(1234),
        MaxAckDelay = TimeSpan.FromMilliseconds(7),
    };

    // spec: PKT-31
    [Fact]
    public void Every_value_reads_back()
    {
        byte[] bytes = new byte[TransportParameters.MaxEncodedLength];
        Assert.True(TransportParameters.TryDecode(bytes.AsSpan(0, s_odd.Encode(bytes)), out TransportParameters read));
        Assert.Equal(s_odd, read);
    }

    // spec: PKT-31
    [Fact]
    public void What_is_missing_has_its_default_and_what_is_unknown_is_skipped()
    {
        Assert.True(TransportParameters.TryDecode([0x01, 0x43, 0xE8, 0x3F, 0x05], out TransportParameters read));
        Assert.Equal(new TransportParameters { IdleTimeout = TimeSpan.FromSeconds(1) }, read);
    }

    [Theory]
    [InlineData("01")]
    [InlineData("0100")]
    [InlineData("0143")]
    public void Half_a_pair_or_no_time_at_all_is_refused(string hex) =>
        Assert.False(TransportParameters.TryDecode(Convert.FromHexString(hex), out _));

    [Fact]
    public void Random_bytes_never_throw()
    {
        SeededEntropy entropy = new(1);
        for (int i = 0; i < 20_000; i++)
            TransportParameters.TryDecode(entropy.Take(i % 40), out _);
    }
}
