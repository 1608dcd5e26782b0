using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace P2PMigrate.Protocol.Identity;

/// <summary>
/// Where a server is found, as people write it: <c>HOST:PORT</c>, the host a DNS name, an IPv4 address or an IPv6
/// address in brackets. Resolving it is the driver's work.
/// </summary>
/// <param name="Host">Lower case; an IPv6 address without its brackets.</param>
/// <param name="Port">Never zero.</param>
public readonly record struct ServerName(string Host, ushort Port)
{
    /// <summary>The longest host, as in DNS.</summary>
    public const int MaxHostLength = 253;

    private static readonly SearchValues<char> s_nameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789.-_");

    /// <summary>Reads <c>HOST:PORT</c>; upper case becomes lower case. The port is 1–65535 and not optional.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out ServerName name)
    {
        name = default;
        int colon = text?.LastIndexOf(':') ?? -1;
        if (text is null || colon <= 0
            || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)
            || port == 0)
        {
            return false;
        }

        string host = text[..colon].ToLowerInvariant();
        bool isIPv6 = IsBracketed(host);
        name = new ServerName(isIPv6 ? host[1..^1] : host, port);
        return isIPv6 || IsName(host);
    }

    /// <summary>The text that <see cref="TryParse"/> reads.</summary>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal)
        ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
        : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    private static bool IsName(string host) => host.Length <= MaxHostLength
        && !host.AsSpan().ContainsAnyExcept(s_nameCharacters) && host[0] is not ('.' or '-');

    private static bool IsBracketed(string host) => host.Length <= MaxHostLength && host is ['[', .., ']']
        && IPAddress.TryParse(host.AsSpan(1, host.Length - 2), out IPAddress? ip)
        && ip.AddressFamily == AddressFamily.InterNetworkV6;
}
