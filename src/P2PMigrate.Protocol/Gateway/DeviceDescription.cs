using System.Text;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>A service of an Internet Gateway Device that maps ports, and where it is asked to.</summary>
internal readonly record struct IgdService(string Type, GatewayUrl Control)
{
    /// <summary>Does it know AddAnyPortMapping?</summary>
    public bool IsVersion2 => Type.EndsWith(":2", StringComparison.Ordinal);
}

/// <summary>What an Internet Gateway Device says about itself, as far as ports are concerned.</summary>
internal static class DeviceDescription
{
    /// <summary>Services that are tried at most; a device with two lines has one for each.</summary>
    // spec: CONST-204
    public const int MaxServices = 4;

    // Best first.
    private static readonly string[] s_types =
    [
        "urn:schemas-upnp-org:service:WANIPConnection:2",
        "urn:schemas-upnp-org:service:WANIPConnection:1",
        "urn:schemas-upnp-org:service:WANPPPConnection:1",
    ];

    /// <summary>Reads a description that came from <paramref name="source"/>; the best service first, none is no error.</summary>
    public static bool TryParse(ReadOnlySpan<byte> xml, GatewayUrl source, out IReadOnlyList<IgdService> services, out Refusal refusal)
    {
        services = [];
        refusal = xml.Length > HttpReply.MaxSize ? Refusal.OverLimit : Refusal.BadValue;
        if (xml.Length > HttpReply.MaxSize)
            return false;
        var found = new List<IgdService>();
        GatewayUrl origin = source;
        string element = "", type = "", control = "";
        var scanner = new XmlScanner(Encoding.UTF8.GetString(xml));
        while (true)
        {
            switch (scanner.Read())
            {
                case XmlToken.Bad:
                    return false;
                case XmlToken.End:
                    services = [.. found.OrderBy(service => Array.IndexOf(s_types, service.Type)).Take(MaxServices)];
                    refusal = Refusal.None;
                    return true;
                case XmlToken.Open:
                    element = scanner.Name.ToString();
                    if (element == "service")
                        (type, control) = ("", "");
                    break;
                case XmlToken.Text when element == "serviceType":
                    type = scanner.Text.ToString();
                    break;
                case XmlToken.Text when element == "controlURL":
                    control = XmlScanner.Unescape(scanner.Text);
                    break;
                case XmlToken.Text when element == "URLBase" && source.TryResolve(scanner.Text.ToString(), out GatewayUrl stated):
                    origin = stated;
                    break;
                case XmlToken.Close:
                    element = "";
                    if (scanner.Name is "service" && s_types.Contains(type) && origin.TryResolve(control, out GatewayUrl url))
                        found.Add(new IgdService(type, url));
                    break;
            }
        }
    }
}
