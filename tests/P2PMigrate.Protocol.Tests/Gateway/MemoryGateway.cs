using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Gateway;

/// <summary>
/// A gateway in memory: a PCP, a NAT-PMP and a UPnP server over one table of mappings, each of which can be switched off.
/// It reads bytes and answers bytes, under the time that it is given.
/// </summary>
internal sealed class MemoryGateway
{
    public static readonly NetworkAddress Inside = Address("192.168.1.1:1");
    public static readonly NetworkAddress Client = Address("192.168.1.20:40000");

    private Instant _bootedAt;

    public bool SpeaksPcp { get; set; } = true;

    public bool SpeaksNatPmp { get; set; } = true;

    public bool SpeaksUpnp { get; set; } = true;

    /// <summary>False: nothing is heard and nothing answered.</summary>
    public bool IsUp { get; set; } = true;

    public NetworkAddress External { get; set; } = Address("198.51.100.7:1");

    public uint LongestLifetime { get; set; } = 7200;

    public byte PcpResult { get; set; }

    public ushort NatPmpResult { get; set; }

    /// <summary>UPnP version of the connection service.</summary>
    public int IgdVersion { get; set; } = 1;

    public bool OnlyPermanentLeases { get; set; }

    public int HttpPort { get; set; } = 5000;

    public string? DescriptionUrl { get; set; }

    /// <summary>By external port: where to, and until when.</summary>
    public Dictionary<ushort, (NetworkAddress Internal, Instant ExpiresAt)> Table { get; } = [];

    /// <summary>What it was asked: one word a request.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Forgets everything and counts its seconds from zero.</summary>
    public void Restart(Instant now)
    {
        Table.Clear();
        _bootedAt = now;
    }

    /// <summary>The answer to a datagram, if there is one, and where it comes from.</summary>
    public (NetworkAddress Source, byte[] Datagram)? Handle(Instant now, GatewayTransmit sent)
    {
        if (!IsUp)
            return null;
        Expire(now);
        byte[] bytes = sent.Datagram.ToArray();
        byte[]? answer = sent.Channel == GatewayChannel.Search ? AnswerSearch(bytes)
            : bytes[0] == 2 ? SpeaksPcp ? AnswerPcp(now, bytes) : SpeaksNatPmp ? Complaint(now, bytes) : null
            : SpeaksNatPmp ? AnswerNatPmp(now, bytes) : null;
        return answer is null ? null : (Inside.WithPort(sent.Channel == GatewayChannel.Search ? Ssdp.Port : Pcp.ServerPort), answer);
    }

    /// <summary>The response to an HTTP request; empty when nobody listens there.</summary>
    public byte[] Handle(Instant now, GatewayExchange exchange)
    {
        if (!IsUp || !SpeaksUpnp || exchange.Server != Inside.WithPort((ushort)HttpPort))
            return [];
        Expire(now);
        string request = Encoding.ASCII.GetString(exchange.Request.Span);
        if (request.StartsWith("GET ", StringComparison.Ordinal))
            return Http(200, Description());
        string action = Between(request, "#", "\"");
        Asked.Add(action);
        return action switch
        {
            "GetExternalIPAddress" => Http(200, Answer(action, $"<NewExternalIPAddress>{External.ToIPAddress()}</NewExternalIPAddress>")),
            "AddPortMapping" or "AddAnyPortMapping" => Add(now, action, request),
            "GetSpecificPortMappingEntry" => Look(action, request),
            "DeletePortMapping" => Table.Remove(Port(request, "NewExternalPort")) ? Http(200, Answer(action, "")) : Fault(714),
            _ => Fault(401),
        };
    }

    /// <summary>What it sends to all hosts of its network when it has begun anew.</summary>
    public byte[] Announcement(Instant now)
    {
        byte[] bytes = [0, 128, 0, 0, .. new byte[8]];
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), Epoch(now));
        External.CopyAddressTo(bytes.AsSpan(8));
        return bytes;
    }

    public static NetworkAddress Address(string text) => NetworkAddress.TryParse(text, out NetworkAddress address) ? address : throw new ArgumentException(text);

    public static byte[] Http(int status, string body) =>
        Encoding.ASCII.GetBytes($"HTTP/1.1 {status} Whatever\r\nContent-Type: text/xml\r\nContent-Length: {body.Length}\r\n\r\n{body}");

    private uint Epoch(Instant now) => (uint)(now - _bootedAt).TotalSeconds;

    private void Expire(Instant now)
    {
        foreach (ushort port in Table.Keys.Where(port => Table[port].ExpiresAt <= now).ToArray())
            Table.Remove(port);
    }

    private uint Grant(Instant now, uint asked, ref ushort external, ushort internalPort)
    {
        NetworkAddress inside = Client.WithPort(internalPort);
        if (asked == 0)
        {
            foreach (ushort port in Table.Keys.Where(port => Table[port].Internal == inside).ToArray())
                Table.Remove(port);
            return 0;
        }

        ushort held = Table.FirstOrDefault(row => row.Value.Internal == inside).Key;
        external = held != 0 ? held : external;
        while (held == 0 && (external == 0 || Table.ContainsKey(external)))
            external++;
        uint granted = Math.Min(asked, LongestLifetime);
        Table[external] = (inside, now + TimeSpan.FromSeconds(granted));
        return granted;
    }

    private byte[] AnswerPcp(Instant now, byte[] request)
    {
        byte[] answer = [.. request];
        answer[1] |= 0x80;
        answer[3] = PcpResult;
        BinaryPrimitives.WriteUInt32BigEndian(answer.AsSpan(8), Epoch(now));
        Array.Clear(answer, 12, 12);
        Asked.Add(request[1] == 0 ? "announce" : BinaryPrimitives.ReadUInt32BigEndian(request.AsSpan(4)) == 0 ? "unmap" : "map");
        if (request[1] == 0 || PcpResult != 0)
            return answer;
        ushort external = BinaryPrimitives.ReadUInt16BigEndian(request.AsSpan(42));
        uint granted = Grant(now, BinaryPrimitives.ReadUInt32BigEndian(request.AsSpan(4)), ref external, BinaryPrimitives.ReadUInt16BigEndian(request.AsSpan(40)));
        BinaryPrimitives.WriteUInt32BigEndian(answer.AsSpan(4), granted);
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(42), external);
        Pcp.WriteAddress(answer.AsSpan(44, 16), External);
        return answer;
    }

    private byte[] Complaint(Instant now, byte[] request)
    {
        byte[] answer = [0, (byte)(request[1] | 0x80), 0, 1, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32BigEndian(answer.AsSpan(4), Epoch(now));
        return answer;
    }

    private byte[] AnswerNatPmp(Instant now, byte[] request)
    {
        if (request[1] == 0)
        {
            Asked.Add("address");
            return Announcement(now);
        }

        ushort external = BinaryPrimitives.ReadUInt16BigEndian(request.AsSpan(6));
        uint asked = BinaryPrimitives.ReadUInt32BigEndian(request.AsSpan(8));
        Asked.Add(asked == 0 ? "pmp-unmap" : "pmp-map");
        byte[] answer = [0, 129, 0, (byte)NatPmpResult, 0, 0, 0, 0, request[4], request[5], 0, 0, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32BigEndian(answer.AsSpan(4), Epoch(now));
        if (NatPmpResult != 0)
            return answer[..8];
        uint granted = Grant(now, asked, ref external, BinaryPrimitives.ReadUInt16BigEndian(request.AsSpan(4)));
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(10), asked == 0 ? (ushort)0 : external);
        BinaryPrimitives.WriteUInt32BigEndian(answer.AsSpan(12), granted);
        return answer;
    }

    private byte[]? AnswerSearch(byte[] search)
    {
        string target = Between(Encoding.ASCII.GetString(search), "\r\nST: ", "\r\n");
        return !SpeaksUpnp || target != Ssdp.Targets[0] ? null : Encoding.ASCII.GetBytes(
            $"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: {target}\r\nUSN: uuid:1::{target}\r\nEXT:\r\nLOCATION: {DescriptionUrl ?? $"http://{Inside.ToIPAddress()}:{HttpPort}/root.xml"}\r\n\r\n");
    }

    private string Description() =>
        $"""
        <?xml version="1.0"?>
        <root xmlns="urn:schemas-upnp-org:device-1-0"><device><deviceList><device><deviceList><device><serviceList>
        <service><serviceType>urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1</serviceType><controlURL>/ctl/Cmn</controlURL></service>
        <service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:{IgdVersion}</serviceType><SCPDURL>/WANIPCn.xml</SCPDURL><controlURL>/ctl/IPConn</controlURL></service>
        </serviceList></device></deviceList></device></deviceList></device></root>
        """;

    private byte[] Add(Instant now, string action, string request)
    {
        ushort external = Port(request, "NewExternalPort");
        uint lease = uint.Parse(Between(request, "<NewLeaseDuration>", "<"), CultureInfo.InvariantCulture);
        NetworkAddress inside = Address($"{Between(request, "<NewInternalClient>", "<")}:{Port(request, "NewInternalPort")}");
        if (action == "AddAnyPortMapping" && IgdVersion < 2)
            return Fault(401);
        if (OnlyPermanentLeases && lease != 0)
            return Fault(725);
        bool isTaken = Table.TryGetValue(external, out (NetworkAddress Internal, Instant ExpiresAt) row) && row.Internal != inside;
        if (isTaken && action == "AddPortMapping")
            return Fault(718);
        while (Table.TryGetValue(external, out row) && row.Internal != inside)
            external++;
        Table[external] = (inside, lease == 0 ? Instant.Never : now + TimeSpan.FromSeconds(lease));
        return Http(200, Answer(action, action == "AddAnyPortMapping" ? $"<NewReservedPort>{external}</NewReservedPort>" : ""));
    }

    private byte[] Look(string action, string request) => Table.TryGetValue(Port(request, "NewExternalPort"), out (NetworkAddress Internal, Instant ExpiresAt) row)
        ? Http(200, Answer(action, $"<NewInternalPort>{row.Internal.Port}</NewInternalPort><NewInternalClient>{row.Internal.ToIPAddress()}</NewInternalClient>"))
        : Fault(714);

    private static string Answer(string action, string values) =>
        $"<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><u:{action}Response xmlns:u=\"x\">{values}</u:{action}Response></s:Body></s:Envelope>";

    private static byte[] Fault(int code) => Http(500,
        $"<s:Envelope><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns=\"urn:schemas-upnp-org:control-1-0\"><errorCode>{code}</errorCode><errorDescription>No</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>");

    private static ushort Port(string request, string name) => ushort.Parse(Between(request, $"<{name}>", "<"), CultureInfo.InvariantCulture);

    private static string Between(string text, string before, string after)
    {
        int start = text.IndexOf(before, StringComparison.Ordinal) + before.Length;
        return text[start..text.IndexOf(after, start, StringComparison.Ordinal)];
    }
}
