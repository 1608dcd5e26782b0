using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace P2PMigrate.Tunnel.Gateway;

/// <summary>A default route: the gateway, the interface that leads there, and this machine's address towards the world.</summary>
internal sealed record GatewayRoute(IPAddress Gateway, int InterfaceIndex, IPAddress Local)
{
    /// <summary>The gateway at one of its ports; a link-local address needs its interface.</summary>
    public IPEndPoint At(IPAddress address, int port) =>
        address.IsIPv6LinkLocal ? new IPEndPoint(new IPAddress(address.GetAddressBytes(), InterfaceIndex), port) : new IPEndPoint(address, port);
}

/// <summary>Reads the kernel's tables of routes.</summary>
internal static class RouteTables
{
    private const uint FlagUp = 1;
    private const uint FlagGateway = 2;

    /// <summary>
    /// The default gateway of the best metric in <c>/proc/net/route</c>, and its interface; null without one.
    /// <code>Iface Destination Gateway Flags RefCnt Use Metric Mask ...</code>
    /// Addresses are hexadecimal words in the machine's order of bytes.
    /// </summary>
    public static (string Interface, IPAddress Gateway)? DefaultV4(IEnumerable<string> lines) => lines.Skip(1)
        .Select(line => line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
        .Where(words => words.Length >= 8 && words[1] == "00000000" && words[7] == "00000000" && LeadsToGateway(words[3]))
        .OrderBy(words => uint.TryParse(words[6], CultureInfo.InvariantCulture, out uint metric) ? metric : uint.MaxValue)
        .Select(words => ((string, IPAddress)?)(words[0], new IPAddress(Hexadecimal(words[2])))).FirstOrDefault();

    /// <summary>
    /// The same of <c>/proc/net/ipv6_route</c>: destination, prefix, source, prefix, next hop, metric, counters, flags, interface.
    /// Addresses are 32 digits.
    /// </summary>
    public static (string Interface, IPAddress Gateway)? DefaultV6(IEnumerable<string> lines) => lines
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(words => words.Length >= 10 && words[0].All(digit => digit == '0') && words[1] == "00" && LeadsToGateway(words[8]) && words[4].Length == 32)
        .OrderBy(words => Hexadecimal(words[5]))
        .Select(words => ((string, IPAddress)?)(words[9], new IPAddress(Convert.FromHexString(words[4])))).FirstOrDefault();

    /// <summary>This machine's address on the way to <paramref name="destination"/>. Nothing is sent.</summary>
    public static IPAddress? LocalTowards(IPEndPoint destination)
    {
        try
        {
            using var socket = new Socket(destination.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(destination);
            return ((IPEndPoint)socket.LocalEndPoint!).Address;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static bool LeadsToGateway(string flags) => (Hexadecimal(flags) & (FlagUp | FlagGateway)) == (FlagUp | FlagGateway);

    private static uint Hexadecimal(string word) => uint.TryParse(word, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint value) ? value : 0;
}
