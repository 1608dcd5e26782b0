using System.Text;
using P2PMigrate.Fuzz.Engine;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>A gateway says whatever it likes: to each parser, and to a whole mapper.</summary>
internal static class GatewayTargets
{
    private const int MaxSteps = 10_000;

    private static readonly NetworkAddress s_gateway = NetworkAddress.FromBytes([192, 168, 1, 1], 5351);
    private static readonly NetworkAddress s_self = NetworkAddress.FromBytes([192, 168, 1, 20], 40_000);
    private static readonly GatewayUrl s_url = new(s_gateway.WithPort(5000), "/root.xml");

    private static readonly byte[] s_found = Encoding.ASCII.GetBytes(
        "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLOCATION: http://192.168.1.1:5000/root.xml\r\n\r\n");

    private static readonly byte[] s_device = Encoding.ASCII.GetBytes(
        "<?xml version=\"1.0\"?><root xmlns=\"x\"><URLBase>http://192.168.1.1:5000</URLBase><device><serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/c&amp;d</controlURL></service></serviceList></device></root>");

    private static readonly byte[] s_answer = Encoding.ASCII.GetBytes(
        "<s:Envelope><s:Body><u:R xmlns:u=\"x\"><NewExternalIPAddress>198.51.100.7</NewExternalIPAddress><NewReservedPort>40000</NewReservedPort></u:R></s:Body></s:Envelope>");

    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        new("pcp-response", bytes => PcpResponse.TryParse(bytes, out _, out _), () => [Pcp()]) { MaxLength = 1200 },
        new("nat-pmp-response", bytes => NatPmpResponse.TryParse(bytes, out _, out _), () => [[0, 128, .. new byte[10]], [0, 129, .. new byte[14]]]) { MaxLength = 64 },
        new("ssdp-answer", bytes => Ssdp.TryParse(bytes, s_gateway, out _, out _), () => [s_found]) { MaxLength = 2048 },
        new("http-reply", RunHttp, () => [Http(s_device), [.. "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"u8]]),
        new("device-description", bytes => DeviceDescription.TryParse(bytes, s_url, out _, out _), () => [s_device]),
        new("igd-answer", bytes => IgdAnswer.TryParse(200, bytes, out _, out _), () => [s_answer, [.. "<a><errorCode>718</errorCode></a>"u8]]),
        new("gateway-mapper", RunMapper, Scripts),
    ];

    private static void RunHttp(byte[] input)
    {
        GatewayMapper.IsWholeReply(input);
        HttpReply.TryParse(input, isClosed: true, out _, out _);
    }

    /// <summary><c>channel or exchange (1 byte), length (2 bytes), bytes</c>, again and again; time passes by itself.</summary>
    private static void RunMapper(byte[] input)
    {
        var mapper = new GatewayMapper(new GatewayMapperOptions { Internal = s_self, Gateway = s_gateway }, new SeededEntropy(1));
        Instant now = new(1_000_000_000);
        int exchange = 0;
        mapper.Start(now);
        for (int at = 0; at + 3 <= input.Length;)
        {
            int length = Math.Min(input[at + 1] | (input[at + 2] & 7) << 8, input.Length - at - 3);
            ReadOnlySpan<byte> piece = input.AsSpan(at + 3, length);
            exchange = Drain(mapper, exchange);
            if (input[at] % 4 == 3)
                mapper.HandleReply(now, exchange, piece);
            else
                mapper.Handle(now, (GatewayChannel)(input[at] % 4), s_gateway, piece);
            now += TimeSpan.FromMilliseconds(1 << (input[at] >> 4));
            if (now >= mapper.NextTimeout)
                mapper.HandleTimeout(now);
            at += 3 + length;
        }

        mapper.Release(now);
        for (int steps = 0; !mapper.IsReleased; steps++)
        {
            Require(steps < MaxSteps && mapper.NextTimeout != Instant.Never);
            exchange = Drain(mapper, exchange);
            now = Instant.Max(now, mapper.NextTimeout);
            mapper.HandleTimeout(now);
        }

        Require(mapper.Mapping is null);
    }

    private static int Drain(GatewayMapper mapper, int exchange)
    {
        int steps = 0;
        while (mapper.TryPollTransmit(out _) || mapper.TryPollEvent(out _))
            Require(steps++ < MaxSteps);
        while (mapper.TryPollExchange(out GatewayExchange? next))
            exchange = next.Id;
        return exchange;
    }

    private static IEnumerable<byte[]> Scripts()
    {
        yield return Piece(0, Pcp());
        yield return [.. Piece(0, [0, 129, 0, 1, 0, 0, 0, 9]), .. Piece(0x90, [0, 128, 0, 0, 0, 0, 0, 9, 198, 51, 100, 7]), .. Piece(0, [0, 129, 0, 0, 0, 0, 0, 9, 0x9C, 0x40, 0x9C, 0x40, 0, 0, 0, 60])];
        yield return
        [
            .. Piece(0xD1, s_found), .. Piece(3, Http(s_device)), .. Piece(3, Http(s_answer)), .. Piece(0xD3, Http(s_answer)),
            .. Piece(3, Http(s_answer)), .. Piece(2, [0, 128, .. new byte[10]]), .. Piece(3, Http(s_answer)),
        ];
    }

    private static byte[] Pcp() => [2, 0x81, 0, 0, 0, 0, 14, 16, 0, 0, 0, 9, .. new byte[24], 17, 0, 0, 0, 0x9C, 0x40, 0x9C, 0x40, .. new byte[10], 0xFF, 0xFF, 198, 51, 100, 7];

    private static byte[] Http(byte[] body) => [.. Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n"), .. body];

    private static byte[] Piece(byte where, byte[] bytes) => [where, (byte)bytes.Length, (byte)(bytes.Length >> 8), .. bytes];

    private static void Require(bool holds)
    {
        if (!holds)
            throw new InvalidOperationException("A mapper does not come to an end, or keeps what it released.");
    }
}
