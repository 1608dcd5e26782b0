using System.Net.Sockets;

namespace P2PMigrate.Lab;

/// <summary>
/// A network namespace made before its container, at <c>/run/netns/NAME</c> of the host: runc joins it, CRIU neither
/// dumps nor restores it, so that address, MAC and connections can be the same at source and target. Its interface
/// <c>eth0</c> is one end of a veth; the other end, <c>vc-NAME</c>, belongs on the host's bridge.
/// </summary>
public sealed record ContainerNetwork(VirtualHost Host, string Name, string Address, string Mac)
{
    /// <summary>Interface names hold 15 characters, three of which are <c>vc-</c>.</summary>
    public const int LongestName = 12;

    /// <summary>What runc's configuration names.</summary>
    public string Path => "/run/netns/" + Name;

    public string Veth => "vc-" + Name;

    /// <summary>Makes the namespace, loopback up. A target keeps its end unattached until the container is there.</summary>
    public static async Task<ContainerNetwork> CreateAsync(
        VirtualHost host, string name, string address = "10.20.0.10", string mac = "02:42:0a:14:00:0a", bool attached = true,
        CancellationToken cancellationToken = default)
    {
        if (name.Length > LongestName) throw new LabException($"`{name}` is longer than {LongestName} characters, too long for a veth's name");
        var network = new ContainerNetwork(host, name, address, mac);
        await host.ShellAsync(
            $"""
            ip netns add {name}
            ip -n {name} link set lo up
            ip link add {network.Veth} type veth peer name eth0 address {mac} netns {name}
            ip -n {name} address add {address}/{ContainerBridge.PrefixLength} dev eth0
            ip -n {name} link set eth0 up
            ip -n {name} route add default via {ContainerBridge.Gateway}
            """,
            cancellationToken).ConfigureAwait(false);
        if (attached) await network.AttachAsync(cancellationToken).ConfigureAwait(false);
        return network;
    }

    public Task AttachAsync(CancellationToken cancellationToken = default) =>
        Host.ShellAsync($"ip link set {Veth} up master {ContainerBridge.Name}", cancellationToken);

    /// <summary>From now on nobody reaches the container: what a source does before it freezes.</summary>
    public Task DetachAsync(CancellationToken cancellationToken = default) =>
        Host.ShellAsync($"ip link set {Veth} nomaster down", cancellationToken);

    /// <summary>Opens a socket that belongs to the container's network but is used from this process.</summary>
    public Socket OpenSocket(SocketType socketType, ProtocolType protocolType, AddressFamily addressFamily = AddressFamily.InterNetwork) =>
        NetworkThread.Run(Host.PathOf(Path), () => new Socket(addressFamily, socketType, protocolType));
}
