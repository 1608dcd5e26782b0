using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;
using P2PMigrate.Lab.Links;

namespace P2PMigrate.Agent.Tests.Several;

/// <summary>Two hosts and one slow link between them.</summary>
internal sealed class FairLink : IAsyncDisposable
{
    private readonly Stack<IAsyncDisposable> _raised = new();

    private FairLink()
    {
    }

    public VirtualHost Source { get; private set; } = null!;

    public VirtualHost Target { get; private set; } = null!;

    public static async Task<FairLink> RaiseAsync(string faults)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Needs root: network namespaces, mounts and CRIU.");
        var link = new FairLink();
        try
        {
            link.Source = await link.RaiseHostAsync();
            link.Target = await link.RaiseHostAsync();
            BareLab ground = await BareLab.RaiseAsync(null, ["wire"]);
            link._raised.Push(ground);
            link._raised.Push(await EmulatedLink.RaiseAsync(ground["wire"], link.Source, link.Target, "wan0", "10.99.0.1/24", "10.99.0.2/24", faults));
            return link;
        }
        catch
        {
            await link.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_raised.TryPop(out IAsyncDisposable? raised))
            await raised.DisposeAsync();
    }

    private async Task<VirtualHost> RaiseHostAsync()
    {
        LoneHost host = await LoneHost.RaiseAsync(binds: [new BindMount(MigrationPeers.Agents, "/opt/p2pmigrate", ReadOnly: true)]);
        _raised.Push(host);
        return host.Host;
    }
}
