using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using P2PMigrate.Protocol.Gateway;

namespace P2PMigrate.Tunnel.Gateway;

/// <summary>The network of which gateways are asked: the machine's, or a namespace of a lab. Any thread.</summary>
internal interface IGatewayNetwork
{
    /// <summary>The default gateway of each internet protocol, where there is one.</summary>
    IReadOnlyList<GatewayRoute> FindGateways();

    /// <summary>A socket of <paramref name="route"/>'s interface for one channel; null when it cannot be had.</summary>
    Socket? Open(GatewayRoute route, GatewayChannel channel);

    /// <summary>A TCP socket that is not connected yet.</summary>
    Socket OpenStream(GatewayRoute route);
}

/// <summary>The network of the thread that asks, which on Linux is that of the process.</summary>
internal sealed class MachineNetwork : IGatewayNetwork
{
    private const string TableV4 = "/proc/thread-self/net/route";
    private const string TableV6 = "/proc/thread-self/net/ipv6_route";
    private const int SearchHops = 2;

    /// <summary>Somewhere in the internet. Nothing is ever sent there.</summary>
    private static readonly IPEndPoint s_worldV6 = new(IPAddress.Parse("2000::1"), 9);

    /// <inheritdoc/>
    public IReadOnlyList<GatewayRoute> FindGateways()
    {
        var routes = new List<GatewayRoute>();
        if (RouteTables.DefaultV4(Lines(TableV4)) is { } four && RouteTables.LocalTowards(new IPEndPoint(four.Gateway, GatewayPort)) is { } localFour)
            routes.Add(new GatewayRoute(four.Gateway, IndexOf(four.Interface), localFour));
        // An IPv6 gateway is known by its link-local address; what is to be mapped is the address that the world knows.
        if (RouteTables.DefaultV6(Lines(TableV6)) is { } six && RouteTables.LocalTowards(s_worldV6) is { IsIPv6LinkLocal: false } localSix)
            routes.Add(new GatewayRoute(six.Gateway, IndexOf(six.Interface), localSix));
        return routes;
    }

    /// <inheritdoc/>
    public Socket? Open(GatewayRoute route, GatewayChannel channel)
    {
        var socket = new Socket(route.Local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            Prepare(socket, route, channel);
            return socket;
        }
        catch (SocketException)
        {
            // Another program may hold the port of the announcements: then the checks find out what they would have told.
            socket.Dispose();
            return null;
        }
    }

    /// <inheritdoc/>
    public Socket OpenStream(GatewayRoute route)
    {
        var socket = new Socket(route.Local.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(route.Local, 0));
        return socket;
    }

    private const int GatewayPort = 5351;

    private static void Prepare(Socket socket, GatewayRoute route, GatewayChannel channel)
    {
        if (channel == GatewayChannel.Announcements)
        {
            // Every host is a member of the group of all hosts; only the port has to be shared with other programs.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(route.Local.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, GatewayMapper.AnnouncementPort));
            return;
        }

        socket.Bind(new IPEndPoint(route.Local, 0));
        if (channel == GatewayChannel.Search && route.Local.AddressFamily == AddressFamily.InterNetwork)
        {
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, route.Local.GetAddressBytes());
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, SearchHops);
        }
    }

    private static IEnumerable<string> Lines(string table) => File.Exists(table) ? File.ReadLines(table) : [];

    private static int IndexOf(string name)
    {
        NetworkInterface? device = NetworkInterface.GetAllNetworkInterfaces().FirstOrDefault(device => device.Name == name);
        try
        {
            return device?.GetIPProperties().GetIPv6Properties().Index ?? 0;
        }
        catch (NetworkInformationException)
        {
            return 0; // no IPv6 there, and nothing else needs the number
        }
    }
}
