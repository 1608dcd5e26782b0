using System.Net;

namespace P2PMigrate.Lab;

/// <summary>
/// Turns a <see cref="NatKind"/> into rules for <c>nft</c> on a router whose inside and outside interfaces are
/// <paramref name="inside"/> and <paramref name="outside"/>, the latter with <paramref name="address"/>.
/// </summary>
internal sealed class NatRules(NatKind kind, string inside, string outside, IPAddress address)
{
    private static readonly TimeSpan s_mappingLifetime = TimeSpan.FromMinutes(5);

    /// <summary>Empty when the router translates and filters nothing.</summary>
    public string Text => (kind.Mapping == NatMapping.None ? "" : Translation + Firewall) + (kind.HasIPv6 ? FirewallV6 : "");

    private bool RemembersMappings => kind.Filtering != NatFiltering.AddressAndPortDependent;

    private string Translation =>
        $$"""
        table ip nat {
          {{(RemembersMappings ? Memory : "")}}
          chain prerouting {
            type nat hook prerouting priority dstnat;
            {{(RemembersMappings ? Admission : "")}}
          }
          chain postrouting {
            type nat hook postrouting priority srcnat;
            {{(kind.Hairpins ? Hairpin : "")}}
            oifname "{{outside}}" meta l4proto { tcp, udp } masquerade{{MasqueradeFlags}}
            oifname "{{outside}}" masquerade
          }
        }

        """;

    /// <summary>
    /// The drop in `input` does more than protect the router: a packet that came unasked and passed would leave a
    /// conntrack entry, which would take the port from the mapping that the inside opens a moment later. What was redirected,
    /// here or by a <see cref="GatewayDaemon"/>, is let through.
    /// </summary>
    private string Firewall =>
        $$"""
        table ip filter {
          chain input {
            type filter hook input priority filter; policy {{(kind.TakesUnasked ? "accept" : "drop")}};
            iifname { "lo", "{{inside}}" } accept
            ct state established,related accept
          }
          chain forward {
            type filter hook forward priority filter; policy drop;
            iifname "{{inside}}" oifname "{{outside}}" {{(kind.BlocksUdp ? "tcp dport 443 " : "")}}accept
            ct status dnat accept
            ct state established,related accept
          }
        }

        """;

    // Neighbours are found by ICMPv6: without it nothing is.
    private string FirewallV6 =>
        $$"""
        table ip6 filter {
          chain input {
            type filter hook input priority filter; policy drop;
            iifname { "lo", "{{inside}}" } accept
            meta l4proto ipv6-icmp accept
            ct state established,related accept
          }
          chain forward {
            type filter hook forward priority filter; policy drop;
            iifname "{{inside}}" oifname "{{outside}}" accept
            ct state established,related accept
          }
        }

        """;

    // Conntrack answers by the whole flow. What is to be let in by less than that is remembered here: who has which outside
    // port, which is the inside one as long as no two insides want the same, and whom it has sent to.
    private string Memory =>
        $$"""
        map mappings { type inet_service : ipv4_addr . inet_service; flags dynamic,timeout; timeout {{s_mappingLifetime.TotalSeconds}}s; }
          set contacts { type ipv4_addr . inet_service; flags dynamic,timeout; timeout {{s_mappingLifetime.TotalSeconds}}s; }
          chain remember {
            type filter hook forward priority filter - 1;
            iifname "{{inside}}" ip protocol udp update @mappings { udp sport : ip saddr . udp sport }
            iifname "{{inside}}" ip protocol udp update @contacts { ip daddr . udp sport }
          }
        """;

    private string Admission =>
        $"ip daddr {address} {(kind.Filtering == NatFiltering.AddressDependent ? "ip saddr . udp dport @contacts " : "")}dnat ip to udp dport map @mappings";

    // Both ends see outside addresses only, or the answer would go past the router and be strange to whoever asked.
    private string Hairpin => $"iifname \"{inside}\" oifname \"{inside}\" ct status dnat snat to {address}";

    // Conntrack keeps the source port where it can, for every destination: endpoint-independent as long as no two
    // inside hosts want the same port. With fully-random it draws a port per connection, that is per destination.
    private string MasqueradeFlags => (kind.Ports is { } block ? $" to :{block.First}-{block.Last}" : "")
        + (kind.Mapping == NatMapping.AddressAndPortDependent ? " fully-random" : "");
}
