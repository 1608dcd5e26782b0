using System.Net;
using P2PMigrate.Lab;
using P2PMigrate.Lab.Links;

namespace P2PMigrate.TunnelBench.Ground;

/// <summary>
/// A near node with two uplinks, a router, a far node whose firewall lets in what answers it, and a rendezvous server with a relay at
/// the router. Every link is emulated; the second uplink has no address yet. Disposing removes everything.
/// </summary>
internal sealed class RoamingNetwork : IAsyncDisposable
{
    public const string FarAddress = "10.78.3.1";

    private const string Router = "10.78.3.2";

    // 20 ms there and back. The far link is the bottleneck, whichever uplink is in use.
    private const string Uplink = "delay=5ms", FarLink = "delay=5ms rate=100mbit queue=50ms";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly BareLab _lab;
    private readonly List<EmulatedLink> _links = [];
    private LabProcess? _rendezvous;

    private RoamingNetwork(BareLab lab) => _lab = lab;

    public LabNode Near => _lab["near"];

    public LabNode Far => _lab["far"];

    /// <summary>The rendezvous server, as people write it.</summary>
    public string Server { get; private set; } = "";

    public static async Task<RoamingNetwork> RaiseAsync(CancellationToken cancellationToken)
    {
        var network = new RoamingNetwork(await BareLab.RaiseAsync(null, ["near", "far", "router", "links"], cancellationToken));
        try
        {
            await network.ConnectAsync(cancellationToken);
            return network;
        }
        catch
        {
            await network.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// The near node goes out of reach of its first uplink and joins the second: the old link swallows everything, then its address
    /// and route are gone and those of the other one there, as a network manager does it.
    /// </summary>
    public async Task SwitchAsync(CancellationToken cancellationToken)
    {
        await _links[0].SetUpAsync(false, cancellationToken);
        await Near.ShellAsync(
            "ip address del 10.78.1.1/24 dev up1 && ip address add 10.78.2.1/24 dev up2 && ip route replace default via 10.78.2.2", cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_rendezvous is not null)
            await _rendezvous.DisposeAsync();
        foreach (EmulatedLink link in _links)
            await link.DisposeAsync();
        await _lab.DisposeAsync();
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        await JoinAsync(Near, "up1", "10.78.1.1/24", "10.78.1.2/24", Uplink, cancellationToken);
        await JoinAsync(Near, "up2", "10.78.2.1/24", "10.78.2.2/24", Uplink, cancellationToken);
        await JoinAsync(Far, "far", FarAddress + "/24", Router + "/24", FarLink, cancellationToken);
        _lab["router"].SetNetworkSetting("net/ipv4/ip_forward", "1");
        await Near.ShellAsync("ip address del 10.78.2.1/24 dev up2 && ip route add default via 10.78.1.2", cancellationToken);
        await Far.ShellAsync($"ip route add default via {Router}", cancellationToken);
        await Far.ShellAsync(
            "nft add table ip guard && nft 'add chain ip guard in { type filter hook input priority filter; policy drop; }' && "
            + "nft add rule ip guard in ct state established,related accept", cancellationToken);
        _rendezvous = await _lab["router"].StartAsync("dotnet", [typeof(RoamingNetwork).Assembly.Location, "rendezvous", Router], cancellationToken);
        Server = await _rendezvous.Output.WaitForAsync(line => IPEndPoint.TryParse(line, out _), s_patience, cancellationToken);
    }

    private async Task JoinAsync(LabNode node, string device, string address, string routerAddress, string faults, CancellationToken cancellationToken) =>
        _links.Add(await EmulatedLink.RaiseAsync(
            _lab["links"], node, _lab["router"], device, address, routerAddress, faults, seed: (ulong)_links.Count + 1, cancellationToken));
}
