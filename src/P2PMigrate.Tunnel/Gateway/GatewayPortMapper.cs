using System.Net.NetworkInformation;
using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Gateway;

/// <summary>What a <see cref="GatewayPortMapper"/> is made of.</summary>
internal sealed record GatewayPortMapperOptions
{
    /// <summary>Where the UDP socket is bound whose port is to be mapped.</summary>
    public required NetworkAddress Local { get; init; }

    /// <summary>The network in which gateways are looked for.</summary>
    public IGatewayNetwork Network { get; init; } = new MachineNetwork();

    /// <summary>What is asked of each; address and gateway are filled in.</summary>
    public Func<GatewayMapperOptions, GatewayMapperOptions> Tune { get; init; } = options => options;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where it says what it does.</summary>
    public required ILogger Logger { get; init; }
}

/// <summary>
/// Our own client of gateways: finds the default gateways, keeps a port mapped on each (<see cref="GatewayTalk"/>), and
/// begins anew when the machine's routes lead elsewhere. A socket that is bound to one address is mapped only on the
/// gateway that is reached from there; one on loopback nowhere.
/// </summary>
// spec: PATH-50 to PATH-56
internal sealed class GatewayPortMapper : IPortMapper
{
    /// <summary>How often the routes are looked at.</summary>
    // spec: CONST-210
    public static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(5);

    /// <summary>How long disposal waits for the gateways' word that the mappings are gone.</summary>
    // spec: PATH-56, CONST-211
    public static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(1);

    private readonly GatewayPortMapperOptions _options;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<GatewayRoute, PortMapping> _mappings = []; // guarded by _lock
    private Action<IReadOnlyList<Candidate>> _changed = _ => { };
    private Task _work = Task.CompletedTask;
    private int _isDisposed;

    /// <summary>Silent until <see cref="Start"/>.</summary>
    public GatewayPortMapper(GatewayPortMapperOptions options) => _options = options;

    /// <inheritdoc/>
    public void Start(Action<IReadOnlyList<Candidate>> changed)
    {
        _changed = changed;
        _work = Task.Run(WatchAsync);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            await _stop.CancelAsync().ConfigureAwait(false);
        await _work.ConfigureAwait(false);
    }

    /// <summary>One talk for each gateway that there is; a gateway that is there no more is told goodbye, should it hear.</summary>
    private async Task WatchAsync()
    {
        var talks = new Dictionary<GatewayRoute, (Task Work, CancellationTokenSource Stop)>();
        while (!_stop.IsCancellationRequested)
        {
            GatewayRoute[] found = [.. FindGateways()];
            foreach (GatewayRoute gone in talks.Keys.Except(found).ToArray())
            {
                await EndAsync(talks[gone]).ConfigureAwait(false);
                talks.Remove(gone);
            }

            foreach (GatewayRoute route in found.Except(talks.Keys.ToArray()))
                talks.Add(route, Begin(route));
            await Task.Delay(LongestSleep, _options.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(talks.Values.Select(EndAsync)).ConfigureAwait(false);
    }

    private IEnumerable<GatewayRoute> FindGateways()
    {
        NetworkAddress local = _options.Local;
        IReadOnlyList<GatewayRoute> routes;
        try
        {
            routes = _options.Network.FindGateways();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or NetworkInformationException)
        {
            return []; // A sandbox that hides the routes, or an interface that goes this very moment.
        }

        bool isBoundToAll = !local.WithPort(1).IsUsable;
        bool isV4Only = local.Family == IpFamily.V4;
        return routes.Where(route =>
        {
            NetworkAddress own = NetworkAddress.From(route.Local, 0);
            return isBoundToAll ? !isV4Only || own.Family == IpFamily.V4 : own.HasSameHost(local);
        });
    }

    private (Task Work, CancellationTokenSource Stop) Begin(GatewayRoute route)
    {
        NetworkAddress own = NetworkAddress.From(route.Local, _options.Local.Port);
        var options = new GatewayMapperOptions { Internal = own, Gateway = NetworkAddress.From(route.Gateway, 0) };
        var mapper = new GatewayMapper(_options.Tune(options), CryptographicEntropy.Instance);
        var talk = new GatewayTalk(_options.Network, route, mapper, _options.Time, _options.Logger);
        var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        Log.GatewayFound(_options.Logger, options.Gateway.WithPort(0), own);
        return (talk.RunAsync(mapping => Note(route, mapping), ReleasePatience, stop.Token), stop);
    }

    private static async Task EndAsync((Task Work, CancellationTokenSource Stop) talk)
    {
        await talk.Stop.CancelAsync().ConfigureAwait(false);
        await talk.Work.ConfigureAwait(false);
        talk.Stop.Dispose();
    }

    private void Note(GatewayRoute route, PortMapping? mapping)
    {
        lock (_lock)
        {
            _mappings.Remove(route);
            if (mapping is { } granted)
                _mappings.Add(route, granted);
            Tell(mapping);
            // spec: PATH-51, PATH-55
            _changed([.. _mappings.Values.Where(held => held.Reach != ExternalReach.Nowhere).Select(held => new Candidate(CandidateKind.Mapped, held.External))]);
        }
    }

    private void Tell(PortMapping? mapping)
    {
        if (mapping is not { } granted)
        {
            Log.PortUnmapped(_options.Logger);
            return;
        }

        Log.PortMapped(_options.Logger, granted.Protocol);
        Log.PortMappedAt(_options.Logger, granted.External);
        if (granted.Reach == ExternalReach.Private)
            Log.GatewayBehindNat(_options.Logger);
        else if (granted.Reach == ExternalReach.Nowhere)
            Log.GatewayWithoutAddress(_options.Logger);
    }
}
