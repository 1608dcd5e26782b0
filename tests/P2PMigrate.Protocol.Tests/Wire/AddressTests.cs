using System.Net;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Wire;

public sealed class AddressTests
{
    [Theory]
    [InlineData("192.0.2.1:3478", "04C0000201960D")]
    [InlineData("[2001:db8::1]:65535", "0620010DB8000000000000000000000001FFFF")]
    public void An_address_survives_text_and_wire(string text, string wire)
    {
        Assert.True(Address.TryParse(text, out Address address));
        byte[] bytes = new byte[Address.MaxSize];

        int size = address.Write(bytes);

        Assert.Equal(wire, Convert.ToHexString(bytes.AsSpan(0, size)));
        Assert.Equal(size, address.Size);
        Assert.True(Address.TryRead(bytes.AsSpan(0, size), out Address read, out int consumed, out _));
        Assert.Equal((address, size), (read, consumed));
        Assert.Equal(text, read.ToString());
    }

    [Fact]
    public void A_mapped_address_equals_its_dotted_form()
    {
        Address mapped = Address.From(IPAddress.Parse("::ffff:10.0.0.1"), 9);

        Assert.Equal(Address.From(IPAddress.Parse("10.0.0.1"), 9), mapped);
    }

    [Fact]
    public void A_mapped_address_in_the_long_form_is_refused_on_the_wire()
    {
        byte[] wire = Convert.FromHexString("0600000000000000000000FFFFC00002010100");

        Assert.False(Address.TryRead(wire, out _, out _, out Refusal refusal));
        Assert.Equal(Refusal.BadValue, refusal);
    }

    [Theory]
    [InlineData("0.0.0.0:5", false)]
    [InlineData("224.0.0.1:5", false)]
    [InlineData("255.255.255.255:5", false)]
    [InlineData("[::]:5", false)]
    [InlineData("[ff02::1]:5", false)]
    [InlineData("[fe80::1]:5", true)]
    [InlineData("127.0.0.1:5", true)]
    public void Only_a_unicast_address_with_a_port_is_usable(string text, bool usable) =>
        Assert.Equal(usable, Address.TryParse(text, out Address address) && address.IsUsable);

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("192.0.2.1:0")]
    [InlineData("host:1")]
    [InlineData("")]
    [InlineData(null)]
    public void Text_without_an_ip_and_a_port_is_refused(string? text) => Assert.False(Address.TryParse(text, out _));
}
