namespace P2PMigrate.Lab;

/// <summary>
/// The bridge to which a virtual host attaches its containers' veths. Name, subnet and gateway are the same on every
/// host: a container that moves keeps its address.
/// </summary>
public static class ContainerBridge
{
    public const string Name = "cbr0";

    /// <summary>The host's own address on the bridge, and the containers' gateway.</summary>
    public const string Gateway = "10.20.0.1";

    public const int PrefixLength = 24;

    /// <summary>The port by which the bridge of either host is joined to the other's.</summary>
    public const string JoinName = "joined";

    /// <summary>Joins the bridges of two hosts, as one switch would: a container that moves stays reachable for whoever is on either. Gone with the hosts.</summary>
    public static async Task JoinAsync(VirtualHost one, VirtualHost other, CancellationToken cancellationToken = default)
    {
        await Tool.RequireAsync(
            "ip", ["link", "add", JoinName, "netns", one.NetworkNamespace, "type", "veth", "peer", "name", JoinName, "netns", other.NetworkNamespace], cancellationToken).ConfigureAwait(false);
        foreach (VirtualHost host in (VirtualHost[])[one, other]) await host.ShellAsync($"ip link set {JoinName} master {Name} up", cancellationToken).ConfigureAwait(false);
    }

    internal static Task CreateAsync(VirtualHost host, CancellationToken cancellationToken) =>
        host.ShellAsync(
            $"""
            ip link add {Name} type bridge forward_delay 0 stp_state 0
            ip address add {Gateway}/{PrefixLength} dev {Name}
            ip link set {Name} up
            """,
            cancellationToken);
}
