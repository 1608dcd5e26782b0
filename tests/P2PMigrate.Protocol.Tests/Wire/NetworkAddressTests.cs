using System.Net;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Wire;

public sealed class NetworkAddressTests
{
    [Theory]
    [InlineData("192.0.2.1:443")]
    [InlineData("[2001:db8::1]:443")]
    public void Text_reads_back(string text)
    {
        Assert.True(NetworkAddress.TryParse(text, out NetworkAddress address));
        Assert.Equal(text, address.ToString());
        Assert.Equal(IPEndPoint.Parse(text), address.ToEndPoint());
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("example.org:443")]
    [InlineData("192.0.2.1")]
    public void Text_that_is_no_address_with_a_port_is_refused(string? text) => Assert.False(NetworkAddress.TryParse(text, out _));

    [Fact]
    public void An_IPv4_mapped_address_is_the_IPv4_address()
    {
        NetworkAddress mapped = NetworkAddress.From(IPAddress.Parse("::ffff:192.0.2.1"), 443);
        Assert.Equal(NetworkAddress.From(IPAddress.Parse("192.0.2.1"), 443), mapped);
        Assert.Equal(IpFamily.V4, mapped.Family);
    }

    // spec: PKT-30
    [Theory]
    [InlineData("04c0000201bb01", "192.0.2.1:443")]
    [InlineData("0620010db8000000000000000000000001bb01", "[2001:db8::1]:443")]
    public void Bytes_read_back_and_refuse_to_be_cut_short(string hex, string text)
    {
        byte[] bytes = Convert.FromHexString(hex);
        WireReader reader = new(bytes);
        Assert.True(NetworkAddress.TryDecode(ref reader, out NetworkAddress address));
        Assert.Equal(text, address.ToString());
        byte[] written = new byte[NetworkAddress.MaxEncodedLength];
        WireWriter writer = new(written);
        address.Encode(ref writer);
        Assert.Equal(bytes, written[..writer.Written]);
        Assert.Equal(bytes.Length, address.EncodedLength);
        for (int cut = 0; cut < bytes.Length; cut++)
        {
            WireReader shorter = new(bytes.AsSpan(0, cut));
            Assert.False(NetworkAddress.TryDecode(ref shorter, out _));
        }
    }

    // spec: PKT-30
    [Theory]
    [InlineData("05c0000201bb01")]
    [InlineData("04c00002010000")]
    [InlineData("0600000000000000000000ffffc0000201bb01")]
    public void Bytes_with_another_family_no_port_or_a_second_form_are_refused(string hex)
    {
        WireReader reader = new(Convert.FromHexString(hex));
        Assert.False(NetworkAddress.TryDecode(ref reader, out _));
    }

    [Theory]
    [InlineData("192.0.2.1:443", true)]
    [InlineData("[fe80::1]:443", true)]
    [InlineData("0.0.0.0:443", false)]
    [InlineData("224.0.0.1:443", false)]
    [InlineData("255.255.255.255:443", false)]
    [InlineData("[ff02::1]:443", false)]
    [InlineData("[::]:443", false)]
    public void Only_unicast_addresses_are_usable(string text, bool isUsable)
    {
        Assert.True(NetworkAddress.TryParse(text, out NetworkAddress address));
        Assert.Equal(isUsable, address.IsUsable);
    }

    [Fact]
    public void A_candidate_of_an_unknown_or_unannounceable_kind_is_refused()
    {
        foreach (byte kind in new byte[] { 0, 5, 255 })
        {
            WireReader reader = new([kind, 4, 192, 0, 2, 1, 0xBB, 1]);
            Assert.False(Candidate.TryDecode(ref reader, out _));
        }
    }
}
