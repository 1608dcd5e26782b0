namespace P2PMigrate.Lab;

/// <summary>
/// The whole network: two virtual hosts, each behind its own NAT router, and between them a routed public core with a
/// rendezvous host. Several labs can be up at once. Disposing removes everything, whatever runs in it; what a crashed
/// owner left is removed by the next lab raised on the machine.
/// </summary>
public sealed class VirtualLab : IAsyncDisposable
{
    private readonly LabScope _scope;
    private readonly Dictionary<string, LabNode> _nodes;
    private bool _disowned;

    private VirtualLab(LabScope scope, IEnumerable<LabNode> nodes)
    {
        _scope = scope;
        _nodes = nodes.ToDictionary(node => node.Name);
    }

    public string Name => _scope.Name;

    public VirtualHost Source => (VirtualHost)_nodes[LabMap.Source];

    public VirtualHost Target => (VirtualHost)_nodes[LabMap.Target];

    public LabNode Rendezvous => _nodes[LabMap.Rendezvous];

    /// <summary>The router in the middle: everything between any two sites passes here.</summary>
    public LabNode Core => _nodes[LabMap.Core];

    public LabNode SourceNat => _nodes[LabMap.SourceNat];

    public LabNode TargetNat => _nodes[LabMap.TargetNat];

    public IEnumerable<LabNode> Nodes => _nodes.Values;

    public LabNode this[string node] => _nodes.TryGetValue(node, out LabNode? found)
        ? found
        : throw new LabException($"the lab has no node `{node}`: {string.Join(", ", _nodes.Keys)}");

    /// <summary>Raises a lab; the first one on a machine builds the root file system, which takes a minute.</summary>
    public static async Task<VirtualLab> RaiseAsync(LabOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new LabOptions();
        RootfsImage image = await LabGround.PrepareAsync(cancellationToken).ConfigureAwait(false);
        LabScope scope = await LabScope.ClaimAsync(options.Name ?? LabRegistry.InventName(), cancellationToken).ConfigureAwait(false);
        try
        {
            foreach (string node in LabMap.Hosts.Concat(LabMap.Others)) await scope.AddNodeAsync(node, cancellationToken).ConfigureAwait(false);
            await new LabWiring(scope, options).ConnectAsync(cancellationToken).ConfigureAwait(false);
            var builder = new VirtualHostBuilder(scope, image);
            VirtualHost[] hosts = await Task.WhenAll(
                LabMap.Hosts.Select(host => builder.BootAsync(host, options.Binds, cancellationToken))).ConfigureAwait(false);
            return new VirtualLab(scope, [.. hosts, .. OtherNodes(scope)]);
        }
        catch
        {
            await LabScope.ReleaseAsync(scope.Name, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Finds a lab that is up, whoever raised it. The returned object does not own it: disposing leaves it up.</summary>
    public static VirtualLab Find(string name)
    {
        IEnumerable<VirtualHost> hosts = LabMap.Hosts.Select(host => VirtualHost.Find(name, host));
        LabScope scope = LabScope.Open(name);
        return new VirtualLab(scope, [.. hosts, .. OtherNodes(scope)]) { _disowned = true };
    }

    /// <summary>Removes a lab that is up, or what is left of one, with everything that runs in it.</summary>
    public static Task RemoveAsync(string name, CancellationToken cancellationToken = default) => LabScope.ReleaseAsync(name, cancellationToken);

    /// <summary>From now on the lab outlives this object and this process.</summary>
    public void Disown()
    {
        _scope.Disown();
        _disowned = true;
    }

    /// <summary>Starts to record all packets that a node sends, receives or forwards.</summary>
    public Task<PacketCapture> CaptureAsync(LabNode node, string? file = null, CancellationToken cancellationToken = default) =>
        PacketCapture.StartAsync(node, file ?? Path.Combine(LabRegistry.WorkOf(Name), $"{node.Name}-{Guid.NewGuid():N}.pcap"), cancellationToken);

    /// <summary>Makes a node's uplink swallow every packet both ways; the node's own interface stays up and tells nothing.</summary>
    public Task CutAsync(LabNode node, CancellationToken cancellationToken = default) => Uplink(node).CutAsync(cancellationToken);

    /// <summary>Undoes <see cref="CutAsync"/>; does nothing on an uplink that is whole.</summary>
    public Task HealAsync(LabNode node, CancellationToken cancellationToken = default) => Uplink(node).HealAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_disowned) return;
        _disowned = true;
        await LabScope.ReleaseAsync(Name, CancellationToken.None).ConfigureAwait(false);
    }

    private Uplink Uplink(LabNode node)
    {
        LinkEnd end = LabMap.UplinkOf(node.Name).Up;
        return new Uplink(this[end.Node], end.Interface);
    }

    private static IEnumerable<LabNode> OtherNodes(LabScope scope) => LabMap.Others.Select(node => new LabNode(scope, node));
}
