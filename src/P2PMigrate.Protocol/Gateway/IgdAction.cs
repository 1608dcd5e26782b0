using System.Globalization;
using System.Text;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>
/// Something that a gateway is asked to do by SOAP (UPnP WANIPConnection 1 and 2). All texts are ours: numbers, an address
/// in digits, fixed words. Nothing has to be escaped.
/// </summary>
internal sealed record IgdAction(string Name, params (string Name, string Value)[] Arguments)
{
    private const string Protocol = "UDP";

    /// <summary>For the gateway's outside address.</summary>
    public static IgdAction GetExternalAddress() => new("GetExternalIPAddress");

    /// <summary>For a mapping to this peer; with <paramref name="any"/> of another port if this one is taken. A lease of 0 s does not end.</summary>
    public static IgdAction Add(bool any, ushort externalPort, string client, ushort internalPort, string description, uint leaseSeconds) => new(
        any ? "AddAnyPortMapping" : "AddPortMapping",
        ("NewRemoteHost", ""), ("NewExternalPort", Text(externalPort)), ("NewProtocol", Protocol), ("NewInternalPort", Text(internalPort)),
        ("NewInternalClient", client), ("NewEnabled", "1"), ("NewPortMappingDescription", description), ("NewLeaseDuration", Text(leaseSeconds)));

    /// <summary>For what is known of a mapping.</summary>
    public static IgdAction Get(ushort externalPort) => new(
        "GetSpecificPortMappingEntry", ("NewRemoteHost", ""), ("NewExternalPort", Text(externalPort)), ("NewProtocol", Protocol));

    /// <summary>For the end of a mapping.</summary>
    public static IgdAction Delete(ushort externalPort) => new(
        "DeletePortMapping", ("NewRemoteHost", ""), ("NewExternalPort", Text(externalPort)), ("NewProtocol", Protocol));

    /// <summary>The HTTP request that asks <paramref name="service"/>.</summary>
    public byte[] ToRequest(IgdService service)
    {
        var body = new StringBuilder("<?xml version=\"1.0\"?>\r\n")
            .Append("<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">")
            .Append("<s:Body><u:").Append(Name).Append(" xmlns:u=\"").Append(service.Type).Append("\">");
        foreach ((string name, string value) in Arguments)
            body.Append('<').Append(name).Append('>').Append(value).Append("</").Append(name).Append('>');
        body.Append("</u:").Append(Name).Append("></s:Body></s:Envelope>\r\n");
        return service.Control.Post($"{service.Type}#{Name}", body.ToString());
    }

    private static string Text(uint value) => value.ToString(CultureInfo.InvariantCulture);
}
