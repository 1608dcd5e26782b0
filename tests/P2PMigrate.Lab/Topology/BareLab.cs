namespace P2PMigrate.Lab;

/// <summary>
/// Nodes without root file systems and without a given map: network namespaces with a cgroup each, joined as the caller
/// wishes. Raised in a moment. Disposing removes everything, whatever runs in it; what a crashed owner left is removed by the
/// next lab raised on the machine.
/// </summary>
public sealed class BareLab : IAsyncDisposable
{
    private readonly LabScope _scope;
    private readonly Dictionary<string, LabNode> _nodes = [];

    private BareLab(LabScope scope) => _scope = scope;

    public string Name => _scope.Name;

    public LabNode this[string node] => _nodes[node];

    /// <summary>Where this lab may keep files; goes with it.</summary>
    public string WorkDirectory => LabRegistry.WorkOf(Name);

    public static async Task<BareLab> RaiseAsync(string? name, IEnumerable<string> nodes, CancellationToken cancellationToken = default)
    {
        await LabGround.TidyAsync(cancellationToken).ConfigureAwait(false);
        LabScope scope = await LabScope.ClaimAsync(name ?? LabRegistry.InventName(), cancellationToken).ConfigureAwait(false);
        var lab = new BareLab(scope);
        try
        {
            foreach (string node in nodes)
            {
                await scope.AddNodeAsync(node, cancellationToken).ConfigureAwait(false);
                lab._nodes.Add(node, new LabNode(scope, node));
            }

            return lab;
        }
        catch
        {
            await lab.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A veth pair, one end in each node, up and with addresses.</summary>
    public static async Task JoinAsync(
        (LabNode Node, string Interface, string Address) near, (LabNode Node, string Interface, string Address) far, CancellationToken cancellationToken = default)
    {
        await Tool.RequireAsync(
            "ip",
            [
                "link", "add", near.Interface, "netns", near.Node.NetworkNamespace, "type", "veth",
                "peer", "name", far.Interface, "netns", far.Node.NetworkNamespace,
            ],
            cancellationToken).ConfigureAwait(false);
        foreach ((LabNode node, string device, string address) in new[] { near, far })
        {
            await Tool.RequireAsync("ip", ["-n", node.NetworkNamespace, "address", "add", address, "dev", device], cancellationToken).ConfigureAwait(false);
            await Tool.RequireAsync("ip", ["-n", node.NetworkNamespace, "link", "set", device, "up"], cancellationToken).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync() => await LabScope.ReleaseAsync(Name, CancellationToken.None).ConfigureAwait(false);
}
