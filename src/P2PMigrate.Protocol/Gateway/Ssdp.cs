using System.Text;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>The search for UPnP devices: UPnP Device Architecture, section 1.3.</summary>
internal static class Ssdp
{
    /// <summary>The port at which devices hear searches.</summary>
    public const ushort Port = 1900;

    /// <summary>Where all devices of a network hear them.</summary>
    public static NetworkAddress Group { get; } = NetworkAddress.FromBytes([239, 255, 255, 250], Port);

    /// <summary>What is searched for. Newer devices must answer to the older name too, but not all do.</summary>
    public static IReadOnlyList<string> Targets { get; } =
    [
        "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
        "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
        "upnp:rootdevice",
    ];

    /// <summary>A search, to be answered within a second.</summary>
    public static byte[] Search(string target) => Encoding.ASCII.GetBytes(
        $"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: {target}\r\n\r\n");

    /// <summary>Reads an answer: where the device describes itself, on the gateway and nowhere else.</summary>
    public static bool TryParse(ReadOnlySpan<byte> datagram, NetworkAddress gateway, out GatewayUrl description, out Refusal refusal)
    {
        description = default;
        if (!HttpReply.TryParse(datagram, isClosed: true, out HttpReply? reply, out refusal))
            return false;
        refusal = reply!.Status != 200 ? Refusal.WrongType
            : reply.Header("LOCATION") is { } location && GatewayUrl.TryParse(location, gateway, out description) ? Refusal.None
            : Refusal.BadValue;
        return refusal == Refusal.None;
    }
}
