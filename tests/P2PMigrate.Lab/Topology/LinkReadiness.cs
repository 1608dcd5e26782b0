namespace P2PMigrate.Lab;

/// <summary>
/// Waits until links that are up pass the first packet. The kernel tells bridges and IPv6 of a new carrier when it comes to it,
/// which may take a second: until then a bridge's port forwards nothing, and a router has no link-local address to ask for its
/// neighbours with.
/// </summary>
internal sealed class LinkReadiness(LabScope scope, LabMap map)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20), s_poll = TimeSpan.FromMilliseconds(20);

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        foreach (LabBridge bridge in map.Bridges)
            await UntilAsync(() => ForwardsAsync(bridge, cancellationToken), bridge.Itself, cancellationToken).ConfigureAwait(false);
        if (!map.Links.Any(link => LabMap.Hosts.Contains(link.Down.Node) && HasIPv6(link.Down))) return;
        LinkEnd[] ends = [.. map.Links.Where(link => link.Emulation is null).SelectMany(link => (LinkEnd[])[link.Down, link.Up]), .. map.Bridges.Select(bridge => bridge.Itself)];
        foreach (LinkEnd end in ends.Where(HasIPv6))
            await UntilAsync(() => Task.FromResult(HasLinkLocal(end)), end, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> ForwardsAsync(LabBridge bridge, CancellationToken cancellationToken)
    {
        string space = scope.NetworkNamespaceOf(bridge.Itself.Node);
        string ports = await Tool.RequireAsync("bridge", ["-n", space, "link", "show"], cancellationToken).ConfigureAwait(false);
        return ports.Split("state forwarding").Length > bridge.Ports.Count;
    }

    /// <summary>A line: the address, number, length of prefix, scope, flags and name of the interface. 20 is the link's scope.</summary>
    private bool HasLinkLocal(LinkEnd end) => new LabNode(scope, end.Node).InNetwork(() => File.ReadLines("/proc/thread-self/net/if_inet6")
        .Any(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, _, "20", _, var device] && device == end.Interface));

    private static bool HasIPv6(LinkEnd end) => end.Addresses.Any(address => address.Contains(':', StringComparison.Ordinal));

    private static async Task UntilAsync(Func<Task<bool>> isReady, LinkEnd end, CancellationToken cancellationToken)
    {
        long deadline = Environment.TickCount64 + (long)s_patience.TotalMilliseconds;
        while (!await isReady().ConfigureAwait(false))
        {
            if (Environment.TickCount64 > deadline) throw new LabException($"{end.Interface} of {end.Node} was not ready within {s_patience.TotalSeconds:0} s");
            await Task.Delay(s_poll, cancellationToken).ConfigureAwait(false);
        }
    }
}
