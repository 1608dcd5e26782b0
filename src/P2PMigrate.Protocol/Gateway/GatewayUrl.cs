using System.Globalization;
using System.Text;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>Where on the gateway something is to be read or asked: never anywhere else, whatever the gateway says.</summary>
// spec: PATH-53
internal readonly record struct GatewayUrl(NetworkAddress Server, string Path)
{
    private const int MaxLength = 512;
    private const string Scheme = "http://";

    /// <summary>
    /// Reads an absolute URL. False unless it is http, its host is the address of <paramref name="gateway"/> in digits,
    /// and its path is printable.
    /// </summary>
    public static bool TryParse(string text, NetworkAddress gateway, out GatewayUrl url)
    {
        url = default;
        if (text.Length > MaxLength || !text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return false;
        string rest = text[Scheme.Length..];
        int slash = rest.IndexOf('/', StringComparison.Ordinal);
        string authority = slash < 0 ? rest : rest[..slash];
        string path = slash < 0 ? "/" : rest[slash..];
        if (!TryReadServer(authority, out NetworkAddress server) || !server.HasSameHost(gateway) || !IsPrintable(path))
            return false;
        url = new GatewayUrl(server, path);
        return true;
    }

    /// <summary>Reads a URL that stands in a document of this one: absolute, or relative to it.</summary>
    public bool TryResolve(string text, out GatewayUrl url)
    {
        url = default;
        if (text.Contains("://", StringComparison.Ordinal))
            return TryParse(text, Server, out url);
        if (text.Length is 0 or > MaxLength || !IsPrintable(text) || text.StartsWith("//", StringComparison.Ordinal))
            return false;
        url = this with { Path = text[0] == '/' ? text : string.Concat(Path.AsSpan(0, Path.LastIndexOf('/') + 1), text) };
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Scheme}{Server}{Path}";

    /// <summary>A request to read it.</summary>
    public byte[] Get() => Encoding.ASCII.GetBytes(
        $"GET {Path} HTTP/1.1\r\nHost: {Server}\r\nAccept: text/xml\r\nConnection: close\r\n\r\n");

    /// <summary>A request that posts <paramref name="body"/> for the SOAP action of this name.</summary>
    public byte[] Post(string action, string body) => Encoding.ASCII.GetBytes(
        string.Create(CultureInfo.InvariantCulture,
            $"POST {Path} HTTP/1.1\r\nHost: {Server}\r\nContent-Type: text/xml; charset=\"utf-8\"\r\nContent-Length: {body.Length}\r\nSOAPAction: \"{action}\"\r\nConnection: close\r\n\r\n{body}"));

    private static bool TryReadServer(string authority, out NetworkAddress server)
    {
        bool hasPort = authority.EndsWith(']') ? false : authority.Contains(':', StringComparison.Ordinal);
        // What else the framework would take for an address ("1", "0x7f.1") is none of a gateway's.
        bool isPlain = authority.StartsWith('[') || authority.Split(':')[0].Split('.').Length == 4;
        return NetworkAddress.TryParse(hasPort ? authority : authority + ":80", out server) && isPlain;
    }

    private static bool IsPrintable(string text) => !text.AsSpan().ContainsAnyExceptInRange('!', '~');
}
