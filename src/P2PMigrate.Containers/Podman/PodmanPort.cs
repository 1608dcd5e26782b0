using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Podman;

/// <summary>Ports of the machine that lead to a container.</summary>
/// <param name="HostAddress">The machine's address; empty for all of them.</param>
/// <param name="First">The first port.</param>
/// <param name="Count">How many there are in a row.</param>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c>, or others, perhaps several with commas.</param>
internal sealed record PodmanPort(string HostAddress, int First, int Count, string Protocol)
{
    /// <summary>Why they cannot be had on this machine; null when they can, as far as can be told.</summary>
    // spec: MIG-184
    public Finding? Look()
    {
        IPGlobalProperties machine = IPGlobalProperties.GetIPGlobalProperties();
        IEnumerable<IPEndPoint> listeners = [.. Protocol.Contains("tcp", StringComparison.Ordinal) ? machine.GetActiveTcpListeners() : [], .. Protocol.Contains("udp", StringComparison.Ordinal) ? machine.GetActiveUdpListeners() : []];
        if (listeners.FirstOrDefault(listener => listener.Port >= First && listener.Port < First + Count && Overlaps(listener.Address)) is { } taken)
            return new Finding(FindingSeverity.Blocker, "port", string.Create(CultureInfo.InvariantCulture, $"The container is reached by the port {taken.Port} of its machine, on which another program listens here."), string.Create(CultureInfo.InvariantCulture, $"End that program for the time being; it is shown by: ss -lnp sport = :{taken.Port}"));
        if (HostAddress.Length > 0 && !IsAny(HostAddress) && !(IPAddress.TryParse(HostAddress, out IPAddress? own) && IPAddress.IsLoopback(own)) && !NetworkInterface.GetAllNetworkInterfaces().SelectMany(one => one.GetIPProperties().UnicastAddresses).Any(one => one.Address.ToString() == HostAddress))
            return new Finding(FindingSeverity.Blocker, "port", $"The container's ports are published on the address {HostAddress}, which this machine does not have.", "Create the container with --publish without an address.");
        return null;
    }

    private bool Overlaps(IPAddress listener) => HostAddress.Length == 0 || IsAny(HostAddress) || listener.Equals(IPAddress.Any) || listener.Equals(IPAddress.IPv6Any) || listener.ToString() == HostAddress;

    private static bool IsAny(string address) => address is "0.0.0.0" or "::";
}
