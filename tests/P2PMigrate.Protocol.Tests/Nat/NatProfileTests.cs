using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Nat;

/// <summary>The profile on the wire: against fixed bytes, and what has no meaning.</summary>
[Trait("Spec", "PATH-60")]
public sealed class NatProfileTests
{
    private static readonly NatProfile s_sequential = new()
    {
        Mapping = NatMapping.AddressAndPortDependent,
        Filtering = NatFiltering.AddressDependent,
        Allocation = PortAllocation.Sequential,
        Step = -2,
        Newest = NetworkAddress.FromBytes([192, 0, 2, 1], 443),
    };

    [Fact]
    public void A_frame_has_these_bytes()
    {
        byte[] buffer = new byte[NatFrame.MaxLength];
        var writer = new WireWriter(buffer);
        new NatFrame(s_sequential).Write(ref writer);

        Assert.Equal("13030202FEFF0000000004C0000201BB01", Convert.ToHexString(buffer[..writer.Written]));
        var reader = new WireReader(buffer.AsSpan(1, writer.Written - 1));
        Assert.True(NatFrame.TryParse(ref reader, out NatFrame frame));
        Assert.True(reader.IsAtEnd);
        Assert.Equal(s_sequential, frame.Profile);
    }

    [Fact]
    public void A_profile_that_says_nothing_has_ten_bytes()
    {
        byte[] buffer = new byte[NatProfile.MaxEncodedLength];
        var writer = new WireWriter(buffer);
        default(NatProfile).Encode(ref writer);

        Assert.Equal("00000000000000000000", Convert.ToHexString(buffer[..writer.Written]));
        var reader = new WireReader(buffer.AsSpan(0, writer.Written));
        Assert.True(NatProfile.TryDecode(ref reader, out NatProfile profile));
        Assert.Equal(default, profile);
    }

    [Fact]
    public void An_IPv6_address_fits_into_the_longest_encoding()
    {
        NatProfile profile = s_sequential with { Newest = NetworkAddress.FromBytes([0x20, 1, 0xd, 0xb8, .. new byte[12]], 443) };
        byte[] buffer = new byte[NatProfile.MaxEncodedLength];
        var writer = new WireWriter(buffer);
        profile.Encode(ref writer);

        Assert.Equal(0, writer.Remaining);
        var reader = new WireReader(buffer);
        Assert.True(NatProfile.TryDecode(ref reader, out NatProfile read));
        Assert.Equal(profile, read);
    }

    [Theory]
    [InlineData("04000000000000000000")] // a mapping without meaning
    [InlineData("00040000000000000000")] // a filtering
    [InlineData("00000500000000000000")] // an allocation
    [InlineData("00000200000000000000")] // a sequence that stands still
    [InlineData("00000200410000000000")] // one that goes further than it is followed
    [InlineData("00000200008000000000")] // the furthest backwards
    [InlineData("00000300000000000000")] // a block of nothing
    [InlineData("00000300000200010000")] // a block that ends before it begins
    [InlineData("0000030000FF03FF0700")] // one that begins among ports that nobody gets
    public void What_makes_no_sense_is_unknown(string hex)
    {
        var reader = new WireReader(Convert.FromHexString(hex));
        Assert.True(NatProfile.TryDecode(ref reader, out NatProfile profile));
        Assert.Equal(default, profile);
    }

    [Theory]
    [InlineData("00000000000000000005")] // an address of no family
    [InlineData("000000000000000000")]
    [InlineData("0000000000000000000400000000")]
    public void What_is_not_whole_is_refused(string hex)
    {
        var reader = new WireReader(Convert.FromHexString(hex));
        Assert.False(NatProfile.TryDecode(ref reader, out _));
    }

    [Fact]
    public void An_address_that_nothing_can_be_sent_to_is_left_out()
    {
        var reader = new WireReader(Convert.FromHexString("01000000000000000004E00000010500"));
        Assert.True(NatProfile.TryDecode(ref reader, out NatProfile profile));
        Assert.Equal(new NatProfile { Mapping = NatMapping.EndpointIndependent }, profile);
    }
}
