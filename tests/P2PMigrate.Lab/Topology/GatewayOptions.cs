namespace P2PMigrate.Lab;

/// <summary>What the <see cref="GatewayDaemon"/> of a router does.</summary>
public sealed record GatewayOptions
{
    /// <summary>PCP and NAT-PMP, which miniupnpd serves together or not at all.</summary>
    public bool ServesPcpAndNatPmp { get; init; } = true;

    public bool ServesUpnp { get; init; } = true;

    /// <summary>Describes itself as an InternetGatewayDevice of version 1, as most routers do.</summary>
    public bool IsIgdVersion1 { get; init; }

    /// <summary>miniupnpd's configuration. Mappings last as long as it runs; a client may ask only for itself.</summary>
    internal string ToConfiguration() =>
        $"""
        ext_ifname=wan
        ext_allow_private_ipv4=yes
        listening_ip=lan
        enable_pcp_pmp={YesNo(ServesPcpAndNatPmp)}
        enable_upnp={YesNo(ServesUpnp)}
        force_igd_desc_v1={YesNo(IsIgdVersion1)}
        secure_mode=yes
        system_uptime=no
        uuid=70326d69-6772-4174-a565-6c6162000001
        upnp_table_name={GatewayDaemon.Table}
        upnp_nat_table_name={GatewayDaemon.Table}
        upnp_forward_chain=forward
        upnp_nat_chain=prerouting
        upnp_nat_postrouting_chain=postrouting
        allow 1024-65535 0.0.0.0/0 1024-65535
        deny 0-65535 0.0.0.0/0 0-65535

        """;

    private static string YesNo(bool value) => value ? "yes" : "no";
}
