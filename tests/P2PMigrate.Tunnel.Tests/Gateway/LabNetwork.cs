using System.Net.Sockets;
using P2PMigrate.Lab;
using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Tunnel.Gateway;

namespace P2PMigrate.Tunnel.Tests.Gateway;

/// <summary>The network of a lab's node, seen as the product sees the machine's.</summary>
internal sealed class LabNetwork(LabNode node) : IGatewayNetwork
{
    private readonly MachineNetwork _network = new();

    public IReadOnlyList<GatewayRoute> FindGateways() => node.InNetwork(_network.FindGateways);

    public Socket? Open(GatewayRoute route, GatewayChannel channel) => node.InNetwork(() => _network.Open(route, channel));

    public Socket OpenStream(GatewayRoute route) => node.InNetwork(() => _network.OpenStream(route));
}
