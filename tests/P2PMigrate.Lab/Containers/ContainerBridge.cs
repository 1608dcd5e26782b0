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

    internal static Task CreateAsync(VirtualHost host, CancellationToken cancellationToken) =>
        host.ShellAsync(
            $"""
            ip link add {Name} type bridge forward_delay 0 stp_state 0
            ip address add {Gateway}/{PrefixLength} dev {Name}
            ip link set {Name} up
            """,
            cancellationToken);
}
