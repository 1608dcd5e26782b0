using System.Net;
using System.Net.NetworkInformation;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Paths;

/// <summary>
/// The machine's own addresses as candidates, the promising ones first and not too many: a dozen bridges of container
/// engines must not crowd out the one address that leads anywhere.
/// </summary>
internal static class HostCandidates
{
    /// <summary>Host candidates that a peer announces at most; the rest of the list is for the other kinds.</summary>
    // spec: CONST-53
    public const int MaxCount = 8;

    private static readonly string[] s_virtualNames = ["docker", "br-", "virbr", "veth", "cni", "podman", "lxc", "lxd", "vmnet", "vbox", "flannel", "cali"];

    /// <summary>
    /// The candidates of <paramref name="socket"/>: the address that it is bound to, or every address of every interface
    /// that is up when it is bound to all. Loopback only with <paramref name="includeLoopback"/>.
    /// </summary>
    public static IReadOnlyList<Candidate> Gather(IDatagramSocket socket, bool includeLoopback)
    {
        IPAddress bound = socket.Local.ToIPAddress();
        IEnumerable<InterfaceAddress> addresses = bound.Equals(IPAddress.Any) || bound.Equals(IPAddress.IPv6Any)
            ? Interfaces().Where(address => includeLoopback || !IPAddress.IsLoopback(address.Address))
            : [new InterfaceAddress("", bound, IsVirtual: false)];
        return [.. Rank(addresses).Select(address => NetworkAddress.From(address, socket.Local.Port)).Where(socket.Reaches)
            .Take(MaxCount).Select(address => new Candidate(CandidateKind.Host, address))];
    }

    /// <summary>Is it an address of the machine itself, through which nobody else comes?</summary>
    public static bool IsLoopback(NetworkAddress address) => !address.IsNone && IPAddress.IsLoopback(address.ToIPAddress());

    /// <summary>Best first: real interfaces before virtual ones, then global before private before loopback, IPv4 before IPv6.</summary>
    internal static IEnumerable<IPAddress> Rank(IEnumerable<InterfaceAddress> addresses) => addresses
        .Where(address => address.Address is { IsIPv6LinkLocal: false, IsIPv6Multicast: false } && !IsLinkLocalV4(address.Address))
        .OrderBy(address => (address.IsVirtual, Reach(address.Address), address.Address.AddressFamily))
        .Select(address => address.Address)
        .Distinct();

    private static IEnumerable<InterfaceAddress> Interfaces() =>
        from network in NetworkInterface.GetAllNetworkInterfaces()
        where network.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown
        from unicast in network.GetIPProperties().UnicastAddresses
        select new InterfaceAddress(network.Name, unicast.Address, s_virtualNames.Any(network.Name.StartsWith));

    private static int Reach(IPAddress address) => IPAddress.IsLoopback(address) ? 2 : IsPrivate(address) ? 1 : 0;

    private static bool IsPrivate(IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        return bytes.Length == 16
            ? (bytes[0] & 0xfe) == 0xfc
            : bytes[0] == 10 || (bytes[0] == 172 && bytes[1] is >= 16 and < 32) || (bytes[0] == 192 && bytes[1] == 168)
                || (bytes[0] == 100 && bytes[1] is >= 64 and < 128);
    }

    private static bool IsLinkLocalV4(IPAddress address) => address.GetAddressBytes() is [169, 254, _, _];
}

/// <summary>An address of one of the machine's interfaces.</summary>
internal readonly record struct InterfaceAddress(string Interface, IPAddress Address, bool IsVirtual);
