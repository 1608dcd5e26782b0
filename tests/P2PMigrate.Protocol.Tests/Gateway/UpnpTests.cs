using System.Text;
using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Gateway;

/// <summary>What only UPnP does.</summary>
public sealed class UpnpTests
{
    [Fact]
    public void Version_2_finds_a_free_port_by_itself()
    {
        var world = new GatewayWorld(MappingProtocols.Upnp);
        world.Gateway.IgdVersion = 2;
        world.Gateway.Table[40000] = (MemoryGateway.Address("192.168.1.99:40000"), Instant.Never);

        world.Mapper.Start(world.Now);
        world.Drain();
        world.Pass(TimeSpan.FromSeconds(2));

        Assert.Equal((ushort)40001, world.External!.Value.Port);
        Assert.Contains("AddAnyPortMapping", world.Gateway.Asked);
    }

    [Fact]
    public void Version_1_is_asked_for_other_ports_when_one_is_taken()
    {
        var world = new GatewayWorld(MappingProtocols.Upnp);
        world.Gateway.Table[40000] = (MemoryGateway.Address("192.168.1.99:40000"), Instant.Never);
        world.Mapper.Start(world.Now);
        world.Drain();
        world.Pass(TimeSpan.FromSeconds(2));

        Assert.NotNull(world.External);
        Assert.NotEqual((ushort)40000, world.External!.Value.Port);
        Assert.Equal(2, world.Gateway.Table.Count);
    }

    [Fact]
    [Trait("Spec", "PATH-54")]
    public void Where_only_endless_leases_are_given_one_is_taken_kept_up_and_released()
    {
        var world = new GatewayWorld(MappingProtocols.Upnp);
        world.Gateway.OnlyPermanentLeases = true;
        world.Start();
        Assert.Equal(Instant.Never, world.Mapper.Mapping?.ExpiresAt);

        world.Pass(TimeSpan.FromHours(3));
        Assert.InRange(world.Gateway.Asked.Count(asked => asked == "AddPortMapping"), 6, 9);
        world.Release();

        Assert.Empty(world.Gateway.Table);
    }

    [Theory]
    [InlineData("http://192.168.1.66:5000/root.xml")]
    [InlineData("http://router.example:5000/root.xml")]
    [InlineData("http://192.168.1.1@192.168.1.66/root.xml")]
    [InlineData("https://192.168.1.1:5000/root.xml")]
    [InlineData("http://192.168.1.1:5000/ro ot.xml")]
    [Trait("Spec", "PATH-53")]
    public void A_description_is_read_from_the_gateway_and_from_nowhere_else(string url)
    {
        var world = new GatewayWorld(MappingProtocols.Upnp);
        world.Gateway.DescriptionUrl = url;

        world.Start();

        Assert.Empty(world.Exchanges);
        Assert.Null(world.External);
    }

    [Theory]
    [InlineData("/ctl/IPConn", "http://192.168.1.1:5000/ctl/IPConn")]
    [InlineData("ctl/IPConn", "http://192.168.1.1:5000/igd/ctl/IPConn")]
    [InlineData("http://192.168.1.1:99/c?a=1&amp;b=2", "http://192.168.1.1:99/c?a=1&b=2")]
    [InlineData("http://192.168.1.1/c", "http://192.168.1.1:80/c")]
    [InlineData("http://192.168.1.66:99/c", null)]
    [InlineData("//192.168.1.66/c", null)]
    [InlineData("/c\r\nX: y", null)]
    [Trait("Spec", "PATH-53")]
    public void A_control_URL_stays_on_the_gateway(string url, string? expected)
    {
        Assert.True(GatewayUrl.TryParse("http://192.168.1.1:5000/igd/root.xml", MemoryGateway.Inside, out GatewayUrl source));
        string xml = $"<root><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>{url}</controlURL></service></root>";

        Assert.True(DeviceDescription.TryParse(Encoding.UTF8.GetBytes(xml), source, out IReadOnlyList<IgdService> services, out _));

        Assert.Equal(expected, services.Count == 0 ? null : services[0].Control.ToString());
    }

    [Fact]
    public void The_newest_service_comes_first_and_a_base_URL_is_heeded()
    {
        Assert.True(GatewayUrl.TryParse("http://192.168.1.1:5000/root.xml", MemoryGateway.Inside, out GatewayUrl source));
        string xml = "\uFEFF<?xml version=\"1.0\"?><!-- a router --><root><URLBase>http://192.168.1.1:49152/</URLBase>"
            + Service("WANPPPConnection:1", "ppp") + Service("WANIPConnection:1", "one") + Service("WANIPConnection:2", "<![CDATA[two]]>") + Service("Layer3Forwarding:1", "l3") + "</root>\0";

        Assert.True(DeviceDescription.TryParse(Encoding.UTF8.GetBytes(xml), source, out IReadOnlyList<IgdService> services, out _));

        Assert.Equal(["http://192.168.1.1:49152/two", "http://192.168.1.1:49152/one", "http://192.168.1.1:49152/ppp"], services.Select(service => service.Control.ToString()));
    }

    [Theory]
    [InlineData("<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><root>&b;</root>")]
    [InlineData("<!DOCTYPE root SYSTEM \"http://192.0.2.1/x.dtd\"><root></root>")]
    [InlineData("<root>")]
    [InlineData("</root>")]
    [InlineData("<root")]
    [InlineData("<root><!-- </root>")]
    [InlineData("<root/>text")]
    [InlineData("<>")]
    [Trait("Spec", "PATH-53")]
    public void Type_definitions_and_broken_documents_are_refused(string xml)
    {
        Assert.False(IgdAnswer.TryParse(200, Encoding.UTF8.GetBytes(xml), out _, out Refusal refusal));
        Assert.Equal(Refusal.BadValue, refusal);
    }

    [Fact]
    [Trait("Spec", "PATH-53")]
    public void A_document_may_not_be_deep_or_long()
    {
        string deep = string.Concat(Enumerable.Repeat("<a>", 33)) + string.Concat(Enumerable.Repeat("</a>", 33));
        Assert.False(IgdAnswer.TryParse(200, Encoding.UTF8.GetBytes(deep), out _, out _));
        byte[] enormous = Encoding.UTF8.GetBytes("<root>" + new string('x', HttpReply.MaxSize) + "</root>");
        Assert.False(IgdAnswer.TryParse(200, enormous, out _, out Refusal refusal));
        Assert.Equal(Refusal.OverLimit, refusal);
    }

    [Theory]
    [InlineData(606, "The gateway does not let this machine map ports by UPnP; look for a setting of that name.")]
    [InlineData(718, "The gateway's port is mapped to another machine.")]
    [InlineData(728, "The gateway has no room for another mapping.")]
    [InlineData(999, "The gateway's UPnP answered with the error 999.")]
    public void An_error_is_a_sentence(int code, string sentence) => Assert.Equal(sentence, ((IgdError)code).ToSentence());

    [Fact]
    public void A_gateway_without_an_address_outside_is_not_asked_to_map()
    {
        var world = new GatewayWorld(MappingProtocols.Upnp);
        world.Gateway.External = MemoryGateway.Address("0.0.0.0:1");

        world.Start();

        Assert.Null(world.External);
        Assert.Contains("The gateway has no address outside.", world.Refusals);
        Assert.Empty(world.Gateway.Table);
    }

    private static string Service(string type, string control) =>
        $"<s:service xmlns:s=\"x\"><serviceType>urn:schemas-upnp-org:service:{type}</serviceType><serviceId a='b'/><controlURL>{control}</controlURL></s:service>";
}
