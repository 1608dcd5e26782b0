namespace P2PMigrate.Lab;

/// <summary>
/// A miniupnpd on one of the lab's NAT routers: a gateway that maps ports when it is asked by PCP, NAT-PMP or UPnP, as home
/// routers do. It comes from the lab's root file system. Disposing ends it; its rules stay until the router goes.
/// </summary>
public sealed class GatewayDaemon : IAsyncDisposable
{
    /// <summary>Its nftables table.</summary>
    internal const string Table = "gateway";

    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(20);

    /// <summary>Before the router's own rules, so that what is redirected here is not judged there first.</summary>
    private const string Rules =
        $$"""
        table inet {{Table}} {
          chain forward { }
          chain prerouting { }
          chain postrouting { }
          chain enter {
            type nat hook prerouting priority dstnat - 5;
            jump prerouting
          }
          chain leave {
            type nat hook postrouting priority srcnat - 5;
            jump postrouting
          }
          chain pass {
            type filter hook forward priority filter - 5;
            jump forward
          }
        }
        flush chain inet {{Table}} forward
        flush chain inet {{Table}} prerouting
        flush chain inet {{Table}} postrouting
        """;

    private readonly LabNode _router;
    private readonly GatewayOptions _options;
    private LabProcess _miniupnpd;
    private bool _isDisposed;

    private GatewayDaemon(LabNode router, GatewayOptions options, LabProcess miniupnpd)
    {
        _router = router;
        _options = options;
        _miniupnpd = miniupnpd;
    }

    /// <summary>What it says about itself, every request included.</summary>
    public LineTranscript Log => _miniupnpd.Error;

    /// <summary>Starts it on a NAT router, whose interfaces are <c>lan</c> and <c>wan</c>, and waits until it serves.</summary>
    public static async Task<GatewayDaemon> StartAsync(LabNode router, GatewayOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new GatewayOptions();
        await SetRulesAsync(router, cancellationToken).ConfigureAwait(false);
        return new GatewayDaemon(router, options, await LaunchAsync(router, options, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Ends it, clears its mappings and starts it again, as when a router is switched off and on.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken = default)
    {
        await _miniupnpd.DisposeAsync().ConfigureAwait(false);
        await SetRulesAsync(_router, cancellationToken).ConfigureAwait(false);
        _miniupnpd = await LaunchAsync(_router, _options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The ports that are mapped now, as nftables has them: one rule a line.</summary>
    public async Task<IReadOnlyList<string>> MappingsAsync(CancellationToken cancellationToken = default)
    {
        CommandResult list = await _router.RunAsync("nft", ["list", "chain", "inet", Table, "prerouting"], cancellationToken).ConfigureAwait(false);
        return [.. list.EnsureSuccess().Output.Split('\n').Where(line => line.Contains("dnat", StringComparison.Ordinal)).Select(line => line.Trim())];
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        await _miniupnpd.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task SetRulesAsync(LabNode router, CancellationToken cancellationToken)
    {
        CommandResult result = await router.RunAsync(new NodeCommand("nft", ["-f", "-"]) { Input = Rules }, cancellationToken).ConfigureAwait(false);
        result.EnsureSuccess();
    }

    private static async Task<LabProcess> LaunchAsync(LabNode router, GatewayOptions options, CancellationToken cancellationToken)
    {
        string root = RootfsImage.At(new RootfsRecipe()).HostRoot;
        var command = new NodeCommand("unshare", ["--mount", "--", "/bin/sh", "-c", EmbeddedScript.GatewayInit, "gateway-init", root]) { Input = options.ToConfiguration() };
        LabProcess miniupnpd = await router.StartAsync(command, cancellationToken).ConfigureAwait(false);
        string ready = options.ServesPcpAndNatPmp ? "Listening for NAT-PMP/PCP" : "HTTP listening";
        await miniupnpd.Error.WaitForAsync(line => line.Contains(ready, StringComparison.Ordinal), s_startLimit, cancellationToken).ConfigureAwait(false);
        return miniupnpd;
    }
}
