using System.Text;
using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Gateway;

/// <summary>Bytes of the three protocols, written out by hand from their specifications; and bytes of nobody.</summary>
public sealed class GatewayCodecTests
{
    private const string MapRequest =
        "02010000" + "00000e10" + "00000000000000000000ffffc0a80114" // version, opcode; 3600 s; ::ffff:192.168.1.20
        + "0102030405060708090a0b0c" + "11000000" + "9c40" + "9c41" + "00000000000000000000ffff00000000";

    private const string MapResponse =
        "02810000" + "00000708" + "00000064" + "000000000000000000000000" // 1800 s, epoch 100
        + "0102030405060708090a0b0c" + "11000000" + "9c40" + "c350" + "00000000000000000000ffffc6336407";

    private const string AnnounceResponse = "02800000" + "00000000" + "00000005" + "000000000000000000000000";

    private const string NatPmpAddress = "0080" + "0000" + "00000064" + "c6336407";
    private const string NatPmpMap = "0081" + "0000" + "00000064" + "9c40" + "c350" + "00000708";

    private static readonly byte[] s_search = Encoding.ASCII.GetBytes(
        "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nlocation:  http://192.168.1.1:5000/root.xml \r\nEXT:\r\n\r\n");

    private static readonly GatewayUrl s_source = new(MemoryGateway.Inside.WithPort(5000), "/root.xml");

    [Fact]
    public void A_PCP_request_is_the_bytes_of_RFC_6887()
    {
        var request = new PcpMapRequest(
            MemoryGateway.Client, PcpNonce.From(Convert.FromHexString("0102030405060708090a0b0c")), 3600, MemoryGateway.Address("0.0.0.0:40001"));

        Assert.Equal(MapRequest, Convert.ToHexStringLower(request.ToBytes()));
        Assert.Equal("020000000000000000000000000000000000ffffc0a80114", Convert.ToHexStringLower(Pcp.AnnounceRequest(MemoryGateway.Client)));
    }

    [Fact]
    public void A_PCP_response_is_read()
    {
        Assert.True(PcpResponse.TryParse(Convert.FromHexString(MapResponse), out PcpResponse response, out _));

        Assert.True(response.IsMap);
        Assert.Equal((1800u, 100u, (ushort)40000), (response.LifetimeSeconds, response.Epoch, response.InternalPort));
        Assert.Equal(MemoryGateway.Address("198.51.100.7:50000"), response.External);
        Assert.Equal(PcpNonce.From(Convert.FromHexString("0102030405060708090a0b0c")), response.Nonce);
        Assert.True(PcpResponse.TryParse(Convert.FromHexString(AnnounceResponse), out response, out _));
        Assert.Equal((false, 5u), (response.IsMap, response.Epoch));
    }

    [Fact]
    public void NAT_PMP_requests_are_the_bytes_of_RFC_6886()
    {
        Assert.Equal("0000", Convert.ToHexStringLower(NatPmp.AddressRequest()));
        Assert.Equal("000100009c409c4100000e10", Convert.ToHexStringLower(NatPmp.MapRequest(40000, 40001, 3600)));
    }

    [Fact]
    public void NAT_PMP_responses_are_read()
    {
        Assert.True(NatPmpResponse.TryParse(Convert.FromHexString(NatPmpAddress), out NatPmpResponse response, out _));
        Assert.Equal((NatPmp.AddressOpcode, 100u, MemoryGateway.Address("198.51.100.7:1").WithPort(0)), (response.Opcode, response.Epoch, response.ExternalHost));
        Assert.True(NatPmpResponse.TryParse(Convert.FromHexString(NatPmpMap), out response, out _));
        Assert.Equal(((ushort)40000, (ushort)50000, 1800u), (response.InternalPort, response.ExternalPort, response.LifetimeSeconds));
        Assert.True(NatPmpResponse.TryParse(Convert.FromHexString("0081000200000064"), out response, out _));
        Assert.Equal(NatPmpResult.NotAuthorized, response.Result);
    }

    [Fact]
    public void A_search_and_an_action_are_the_text_of_their_specifications()
    {
        Assert.Equal(
            "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n",
            Encoding.ASCII.GetString(Ssdp.Search("upnp:rootdevice")));
        var service = new IgdService("urn:schemas-upnp-org:service:WANIPConnection:1", s_source with { Path = "/ctl" });

        string request = Encoding.ASCII.GetString(IgdAction.Delete(40000).ToRequest(service));

        string[] parts = request.Split("\r\n\r\n", 2);
        Assert.StartsWith("POST /ctl HTTP/1.1\r\nHost: 192.168.1.1:5000\r\n", parts[0], StringComparison.Ordinal);
        Assert.Contains("SOAPAction: \"urn:schemas-upnp-org:service:WANIPConnection:1#DeletePortMapping\"", parts[0], StringComparison.Ordinal);
        Assert.Contains($"Content-Length: {parts[1].Length}\r\n", parts[0] + "\r\n", StringComparison.Ordinal);
        Assert.Contains("<NewRemoteHost></NewRemoteHost><NewExternalPort>40000</NewExternalPort><NewProtocol>UDP</NewProtocol>", parts[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", true)]
    [InlineData("HTTP/1.0 200 OK\ncontent-length: 3\n\nabcdef", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", true)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nabc", false)]
    public void A_body_is_counted_chunked_or_ends_with_the_connection(string text, bool isWhole)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);

        Assert.Equal(isWhole, GatewayMapper.IsWholeReply(bytes));
        Assert.True(HttpReply.TryParse(bytes, isClosed: true, out HttpReply? reply, out _));
        Assert.Equal((200, "abc"), (reply!.Status, Encoding.ASCII.GetString(reply.Body.Span)));
    }

    [Theory]
    [InlineData("SSH-2.0-x\r\n\r\n", Refusal.WrongType)]
    [InlineData("HTTP/1.1 2x0 OK\r\n\r\n", Refusal.WrongType)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Refusal.BadValue)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", Refusal.OverLimit)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n", Refusal.OverLimit)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Refusal.BadValue)]
    public void A_response_that_is_none_is_refused(string text, Refusal expected)
    {
        Assert.False(HttpReply.TryParse(Encoding.ASCII.GetBytes(text), isClosed: true, out _, out Refusal refusal));
        Assert.Equal(expected, refusal);
    }

    [Fact]
    public void Everything_cut_at_any_length_is_refused_with_a_reason()
    {
        foreach (byte[] message in new[] { MapResponse, AnnounceResponse, NatPmpAddress, NatPmpMap }.Select(Convert.FromHexString).Append(s_search))
        {
            for (int length = 0; length < message.Length; length++)
            {
                ReadOnlySpan<byte> cut = message.AsSpan(0, length);
                Assert.False(PcpResponse.TryParse(cut, out _, out Refusal refusal));
                Assert.NotEqual(Refusal.None, refusal);
                Assert.False(NatPmpResponse.TryParse(cut, out _, out refusal));
                Assert.NotEqual(Refusal.None, refusal);
                Assert.False(Ssdp.TryParse(cut, MemoryGateway.Inside, out _, out refusal));
                Assert.NotEqual(Refusal.None, refusal);
            }
        }

        var world = new GatewayWorld(MappingProtocols.Upnp);
        world.Start();
        foreach (byte[] reply in world.Exchanges.Select(exchange => world.Gateway.Handle(world.Now, exchange)))
        {
            Assert.True(HttpReply.TryParse(reply, isClosed: true, out HttpReply? whole, out _));
            for (int length = 0; length < reply.Length; length++)
                Assert.False(HttpReply.TryParse(reply.AsSpan(0, length), isClosed: true, out _, out _));
            for (int length = 0; length < whole!.Body.Length; length++)
            {
                _ = DeviceDescription.TryParse(whole.Body.Span[..length], s_source, out _, out _);
                _ = IgdAnswer.TryParse(200, whole.Body.Span[..length], out _, out _);
            }
        }
    }

    [Fact]
    public void Random_bytes_never_throw_and_map_nothing()
    {
        const int Seed = 20_261_126; // change it to try others
        var random = new Random(Seed);
        var world = new GatewayWorld();
        world.Gateway.IsUp = false;
        world.Start();
        const string Letters = "<>/!-[]&;:? \r\n\"'=abcserviceTypecontrolURL0123456789";
        for (int count = 0; count < 10_000; count++)
        {
            byte[] bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            if (random.Next(2) == 0)
                bytes = [.. bytes.Select(value => (byte)Letters[value % Letters.Length])];
            if (bytes.Length > 2 && random.Next(2) == 0)
                (bytes[0], bytes[1]) = ((byte)random.Next(3), (byte)random.Next(128, 131));
            _ = PcpResponse.TryParse(bytes, out _, out _);
            _ = NatPmpResponse.TryParse(bytes, out _, out _);
            _ = Ssdp.TryParse([.. s_search.AsSpan(0, s_search.Length - 2), .. bytes], MemoryGateway.Inside, out _, out _);
            _ = HttpReply.TryParse([.. "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"u8, .. bytes], isClosed: true, out _, out _);
            _ = DeviceDescription.TryParse([.. "<root><service>"u8, .. bytes], s_source, out _, out _);
            _ = IgdAnswer.TryParse(500, bytes, out _, out _);
            var channel = (GatewayChannel)random.Next(3);
            world.Mapper.Handle(world.Now, channel, MemoryGateway.Inside.WithPort(5351), bytes);
            world.Mapper.HandleReply(world.Now, random.Next(8), bytes);
            world.Drain();
            Assert.True(world.External is null, $"seed {Seed}, input {count}");
        }
    }
}
