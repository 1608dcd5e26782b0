using System.Text;

namespace P2PMigrate.Lab;

/// <summary>Makes the map real: links, addresses, routes, forwarding and NAT between nodes whose namespaces exist.</summary>
internal sealed class LabWiring(LabScope scope, LabOptions options)
{
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        await BatchAsync([], Links(), cancellationToken).ConfigureAwait(false);
        foreach (string node in LabMap.Hosts.Concat(LabMap.Others))
            await BatchAsync(["-n", scope.NetworkNamespaceOf(node)], AddressesAndRoutes(node), cancellationToken).ConfigureAwait(false);
        foreach (string router in LabMap.Routers) new LabNode(scope, router).SetNetworkSetting("net/ipv4/ip_forward", "1");
        await TranslateAsync(LabMap.SourceNat, options.SourceNat, cancellationToken).ConfigureAwait(false);
        await TranslateAsync(LabMap.TargetNat, options.TargetNat, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Both ends are born in their namespaces: the machine's own network never sees them.</summary>
    private IEnumerable<string> Links() => LabMap.Links.Select(link =>
        $"link add {link.Down.Interface} netns {scope.NetworkNamespaceOf(link.Down.Node)} type veth " +
        $"peer name {link.Up.Interface} netns {scope.NetworkNamespaceOf(link.Up.Node)}");

    private static IEnumerable<string> AddressesAndRoutes(string node)
    {
        LinkEnd[] ends = [.. LabMap.Links.SelectMany(link => (LinkEnd[])[link.Down, link.Up]).Where(end => end.Node == node)];
        return
        [
            .. ends.SelectMany(end => end.Addresses.Select(address => $"address add {address} dev {end.Interface}")),
            .. ends.Select(end => $"link set {end.Interface} up"),
            .. LabMap.Routes.Where(route => route.Node == node).Select(route => $"route add {route.Destination} via {route.Gateway}"),
        ];
    }

    private async Task TranslateAsync(string router, NatKind kind, CancellationToken cancellationToken)
    {
        var command = new NodeCommand("nft", ["-f", "-"]) { Input = NatRules.For(kind) };
        CommandResult result = await new LabNode(scope, router).RunAsync(command, cancellationToken).ConfigureAwait(false);
        result.EnsureSuccess();
    }

    private static async Task BatchAsync(string[] options, IEnumerable<string> lines, CancellationToken cancellationToken)
    {
        string batch = new StringBuilder().AppendJoin('\n', lines).AppendLine().ToString();
        CommandResult result = await Tool.RunAsync("ip", [.. options, "-batch", "-"], batch, cancellationToken).ConfigureAwait(false);
        result.EnsureSuccess();
    }
}
