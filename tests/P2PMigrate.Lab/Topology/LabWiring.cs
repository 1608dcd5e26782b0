using System.Text;
using P2PMigrate.Lab.Links;

namespace P2PMigrate.Lab;

/// <summary>Makes the map real: links, addresses, routes, forwarding and NAT between nodes whose namespaces exist.</summary>
internal sealed class LabWiring(LabScope scope, LabMap map)
{
    private const string SwitchFiltering = "/proc/sys/net/bridge/bridge-nf-call-iptables";

    /// <summary>Returns the processes that must stay for it to stay so.</summary>
    public async Task<IReadOnlyList<IAsyncDisposable>> ConnectAsync(CancellationToken cancellationToken)
    {
        foreach (string node in LabMap.Nodes) Prepare(new LabNode(scope, node));
        await BatchAsync([], Pairs(), cancellationToken).ConfigureAwait(false);
        var emulated = new List<IAsyncDisposable>();
        foreach (LabLink link in map.Links.Where(link => link.Emulation is not null)) emulated.Add(await EmulateAsync(link, cancellationToken).ConfigureAwait(false));
        await Task.WhenAll(LabMap.Nodes.Select(
            node => BatchAsync(["-n", scope.NetworkNamespaceOf(node)], Inside(node), cancellationToken))).ConfigureAwait(false);
        await new LinkReadiness(scope, map).WaitAsync(cancellationToken).ConfigureAwait(false);
        await Task.WhenAll(map.Nats.Select(nat => TranslateAsync(nat, cancellationToken))).ConfigureAwait(false);
        return emulated;
    }

    /// <summary>
    /// Before there are interfaces: addresses are good at once, without asking the link for a second whether somebody else
    /// has them. (The greater of the two settings counts.)
    /// </summary>
    private static void Prepare(LabNode node)
    {
        node.SetNetworkSetting("net/ipv6/conf/all/accept_dad", "0");
        node.SetNetworkSetting("net/ipv6/conf/default/accept_dad", "0");
        if (!LabMap.Routers.Contains(node.Name)) return;
        node.SetNetworkSetting("net/ipv4/ip_forward", "1");
        node.SetNetworkSetting("net/ipv4/conf/all/send_redirects", "0");
        node.SetNetworkSetting("net/ipv4/conf/default/send_redirects", "0");
        node.SetNetworkSetting("net/ipv6/conf/all/forwarding", "1");
        // What a LAN's switch passes is not the router's to judge; a kernel that can filter there does so unless told.
        if (File.Exists(SwitchFiltering)) node.SetNetworkSetting("net/bridge/bridge-nf-call-iptables", "0");
    }

    /// <summary>Both ends are born in their namespaces: the machine's own network never sees them.</summary>
    private IEnumerable<string> Pairs() => map.Links.Where(link => link.Emulation is null).Select(link =>
        $"link add {link.Down.Interface} netns {scope.NetworkNamespaceOf(link.Down.Node)} type veth " +
        $"peer name {link.Up.Interface} netns {scope.NetworkNamespaceOf(link.Up.Node)}");

    private Task<EmulatedLink> EmulateAsync(LabLink link, CancellationToken cancellationToken)
    {
        LabNode near = new(scope, link.Down.Node), far = new(scope, link.Up.Node);
        return EmulatedLink.RaiseAsync(
            far, near, far, link.Up.Interface, link.Down.Addresses[0], link.Up.Addresses[0], link.Emulation!, cancellationToken: cancellationToken);
    }

    /// <summary>Everything of one node. `replace`, for the emulator has given its devices their first addresses.</summary>
    private IEnumerable<string> Inside(string node)
    {
        LabBridge[] bridges = [.. map.Bridges.Where(bridge => bridge.Itself.Node == node)];
        LinkEnd[] ends =
        [
            .. bridges.Select(bridge => bridge.Itself),
            .. map.Links.SelectMany(link => (LinkEnd[])[link.Down, link.Up]).Where(end => end.Node == node),
        ];
        return
        [
            .. bridges.SelectMany(Bridge),
            .. ends.SelectMany(end => end.Addresses.Select(address => $"address replace {address} dev {end.Interface}")),
            .. ends.Select(end => $"link set {end.Interface} up"),
            .. map.Routes.Where(route => route.Node == node).Select(route => $"route add {route.Destination} via {route.Gateway}"),
        ];
    }

    private static IEnumerable<string> Bridge(LabBridge bridge) =>
    [
        $"link add {bridge.Itself.Interface} type bridge forward_delay 0",
        .. bridge.Ports.Select(port => $"link set {port} master {bridge.Itself.Interface}"),
        .. bridge.Ports.Where(_ => bridge.KeepsPortsApart).Select(port => $"link set {port} type bridge_slave isolated on"),
    ];

    private async Task TranslateAsync(LabNat nat, CancellationToken cancellationToken)
    {
        if (nat.Rules.Text.Length == 0) return;
        var command = new NodeCommand("nft", ["-f", "-"]) { Input = nat.Rules.Text };
        CommandResult result = await new LabNode(scope, nat.Node).RunAsync(command, cancellationToken).ConfigureAwait(false);
        result.EnsureSuccess();
    }

    private static async Task BatchAsync(string[] options, IEnumerable<string> lines, CancellationToken cancellationToken)
    {
        string batch = new StringBuilder().AppendJoin('\n', lines).AppendLine().ToString();
        CommandResult result = await Tool.RunAsync("ip", [.. options, "-batch", "-"], batch, cancellationToken).ConfigureAwait(false);
        result.EnsureSuccess();
    }
}
