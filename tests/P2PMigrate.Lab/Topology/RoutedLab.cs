using System.Net;

namespace P2PMigrate.Lab;

/// <summary>
/// Two hosts, each behind its own router, and between them a routed public core with a rendezvous host: what all labs with a
/// map have in common. Several can be up at once. Disposing removes everything, whatever runs in it; what a crashed
/// owner left is removed by the next lab raised on the machine.
/// </summary>
public abstract class RoutedLab : IAsyncDisposable
{
    private readonly LabScope _scope;
    private readonly Dictionary<string, LabNode> _nodes;
    private readonly IReadOnlyList<IAsyncDisposable> _processes;
    private readonly LabPlan _plan;
    private readonly LabMap _map;
    private bool _disowned;

    private protected RoutedLab(LabScope scope, IEnumerable<LabNode> hosts, IReadOnlyList<IAsyncDisposable> processes)
    {
        _scope = scope;
        _nodes = hosts.Concat(LabMap.Others.Select(node => new LabNode(scope, node))).ToDictionary(node => node.Name);
        _processes = processes;
        _plan = scope.Plan;
        _map = LabMap.Of(_plan);
    }

    public string Name => _scope.Name;

    /// <summary>Where this lab may keep files; goes with it.</summary>
    public string WorkDirectory => LabRegistry.WorkOf(Name);

    public LabNode Rendezvous => _nodes[LabMap.Rendezvous];

    /// <summary>The router in the middle: everything between any two sites passes here.</summary>
    public LabNode Core => _nodes[LabMap.Core];

    public LabNode SourceNat => _nodes[LabMap.SourceNat];

    public LabNode TargetNat => _nodes[LabMap.TargetNat];

    public IEnumerable<LabNode> Nodes => _nodes.Values;

    /// <summary>The daemons of the routers that map ports, the source's first.</summary>
    public IEnumerable<GatewayDaemon> Gateways => _processes.OfType<GatewayDaemon>();

    public LabNode this[string node] => _nodes.TryGetValue(node, out LabNode? found)
        ? found
        : throw new LabException($"the lab has no node `{node}`: {string.Join(", ", _nodes.Keys)}");

    /// <summary>The IPv4 address of one of the two hosts itself.</summary>
    public IPAddress AddressOf(LabNode host) => _map.AddressOf(host.Name);

    /// <summary>The IPv4 address that the core sees of one of the two hosts.</summary>
    public IPAddress OutsideAddressOf(LabNode host) => LabMap.OutsideAddressOf(host.Name, _plan);

    /// <summary>Starts to record all packets that a node sends, receives or forwards.</summary>
    public Task<PacketCapture> CaptureAsync(LabNode node, string? file = null, CancellationToken cancellationToken = default) =>
        PacketCapture.StartAsync(node, file ?? Path.Combine(LabRegistry.WorkOf(Name), $"{node.Name}-{Guid.NewGuid():N}.pcap"), cancellationToken);

    /// <summary>Makes a node's uplink swallow every packet both ways; the node's own interface stays up and tells nothing.</summary>
    public Task CutAsync(LabNode node, CancellationToken cancellationToken = default) => Uplink(node).CutAsync(cancellationToken);

    /// <summary>Undoes <see cref="CutAsync"/>; does nothing on an uplink that is whole.</summary>
    public Task HealAsync(LabNode node, CancellationToken cancellationToken = default) => Uplink(node).HealAsync(cancellationToken);

    /// <summary>From now on the lab outlives this object and this process; what it runs as processes of ours does not.</summary>
    public void Disown()
    {
        _scope.Disown();
        _disowned = true;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_disowned) return;
        _disowned = true;
        foreach (IAsyncDisposable process in _processes) await process.DisposeAsync().ConfigureAwait(false);
        await LabScope.ReleaseAsync(Name, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>This object owns nothing of the lab.</summary>
    private protected void Forget() => _disowned = true;

    /// <summary>Makes the network of a lab and whatever <paramref name="furnish"/> adds to it; all of it goes when that fails.</summary>
    private protected static async Task<TLab> RaiseAsync<TLab>(
        LabOptions options, Func<LabScope, IReadOnlyList<IAsyncDisposable>, Task<TLab>> furnish, CancellationToken cancellationToken)
    {
        LabScope scope = await LabScope.ClaimAsync(options.Name ?? LabRegistry.InventName(), cancellationToken).ConfigureAwait(false);
        var processes = new List<IAsyncDisposable>();
        try
        {
            LabPlan plan = LabPlan.Of(options);
            scope.RecordPlan(plan);
            foreach (string node in LabMap.Nodes) await scope.AddNodeAsync(node, cancellationToken).ConfigureAwait(false);
            processes.AddRange(await new LabWiring(scope, LabMap.Of(plan)).ConnectAsync(cancellationToken).ConfigureAwait(false));
            if (options.SourceNat.MapsPorts) processes.Add(await GatewayDaemon.StartAsync(new LabNode(scope, LabMap.SourceNat), cancellationToken: cancellationToken).ConfigureAwait(false));
            if (options.TargetNat.MapsPorts) processes.Add(await GatewayDaemon.StartAsync(new LabNode(scope, LabMap.TargetNat), cancellationToken: cancellationToken).ConfigureAwait(false));
            return await furnish(scope, processes).ConfigureAwait(false);
        }
        catch
        {
            foreach (IAsyncDisposable process in processes) await process.DisposeAsync().ConfigureAwait(false);
            await LabScope.ReleaseAsync(scope.Name, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    private Uplink Uplink(LabNode node)
    {
        LinkEnd end = _map.UplinkOf(node.Name).Up;
        return new Uplink(this[end.Node], end.Interface);
    }
}
