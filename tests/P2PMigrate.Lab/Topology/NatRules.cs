namespace P2PMigrate.Lab;

/// <summary>Turns a <see cref="NatKind"/> into rules for <c>nft</c>. The router's interfaces are <c>lan</c> and <c>wan</c>.</summary>
internal static class NatRules
{
    /// <summary>
    /// The drop in `input` does more than protect the router: a packet that came unasked and passed would leave a
    /// conntrack entry, which would take the port from the mapping that the inside opens a moment later. What a
    /// <see cref="GatewayDaemon"/> maps is let through; without one nothing is redirected.
    /// </summary>
    public static string For(NatKind kind) =>
        $$"""
        table ip nat {
          chain prerouting { type nat hook prerouting priority dstnat; }
          chain postrouting {
            type nat hook postrouting priority srcnat;
            oifname "wan" masquerade{{MasqueradeFlags(kind.Mapping)}}
          }
        }
        table ip filter {
          chain input {
            type filter hook input priority filter; policy drop;
            iifname { "lo", "lan" } accept
            ct state established,related accept
          }
          chain forward {
            type filter hook forward priority filter; policy drop;
            iifname "lan" oifname "wan" accept
            ct status dnat accept
            {{Admission(kind.Filtering)}}
          }
        }
        """;

    // Conntrack keeps the source port where it can, for every destination: endpoint-independent as long as no two
    // inside hosts want the same port. With fully-random it draws a port per connection, that is per destination.
    private static string MasqueradeFlags(NatMapping mapping) => mapping switch
    {
        NatMapping.EndpointIndependent => "",
        NatMapping.AddressAndPortDependent => " fully-random",
        _ => throw new ArgumentOutOfRangeException(nameof(mapping)),
    };

    private static string Admission(NatFiltering filtering) => filtering switch
    {
        NatFiltering.AddressAndPortDependent => "ct state established,related accept",
        _ => throw new ArgumentOutOfRangeException(nameof(filtering)),
    };
}
