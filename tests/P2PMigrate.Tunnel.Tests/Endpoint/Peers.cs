using System.Net;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>Two endpoints on loopback, and what tests do with them again and again. Disposes what it opened.</summary>
internal sealed class Peers : IAsyncDisposable
{
    public static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly List<TunnelEndpoint> _endpoints = [];
    private readonly List<PrivateIdentity> _identities = [];

    private Peers()
    {
    }

    public TunnelEndpoint Source { get; private set; } = null!;

    public TunnelEndpoint Target { get; private set; } = null!;

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Opens both; <paramref name="change"/> may alter the options of each.</summary>
    public static async Task<Peers> OpenAsync(Func<TunnelOptions, TunnelOptions>? change = null)
    {
        var peers = new Peers();
        peers.Source = await peers.OpenOneAsync(change);
        peers.Target = await peers.OpenOneAsync(change);
        return peers;
    }

    /// <summary>Opens another endpoint, with an identity of its own.</summary>
    public async Task<TunnelEndpoint> OpenOneAsync(Func<TunnelOptions, TunnelOptions>? change = null)
    {
        PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        _identities.Add(identity);
        var options = new TunnelOptions
        {
            Identity = identity,
            Listen = new IPEndPoint(IPAddress.Loopback, 0),
            Logger = new TestLog(identity.PeerId.ToShortString()),
        };
        TunnelEndpoint endpoint = await TunnelEndpoint.OpenAsync(change?.Invoke(options) ?? options, Token);
        _endpoints.Add(endpoint);
        return endpoint;
    }

    /// <summary>A session from the source to the target, with a fresh ticket.</summary>
    public async Task<(TunnelSession Near, TunnelSession Far)> ConnectAsync()
    {
        Ticket ticket = await Target.IssueTicketAsync(Hour, Token);
        ValueTask<TunnelSession> accepting = Target.AcceptAsync(Token);
        TunnelSession near = await Source.DialAsync(ticket, Token);
        return (near, await accepting);
    }

    /// <summary>A stream of <paramref name="near"/> and its other end at <paramref name="far"/>, which is there once a byte has come.</summary>
    public static async Task<(ITunnelStream Near, ITunnelStream Far)> OpenStreamAsync(
        ITunnelSession near, ITunnelSession far, StreamPriority priority = StreamPriority.Bulk)
    {
        ITunnelStream opened = await near.OpenStreamAsync(priority, Token);
        await opened.Output.WriteAsync(new byte[1], Token);
        ITunnelStream accepted = await far.AcceptStreamAsync(Token);
        var first = await accepted.Input.ReadAsync(Token);
        accepted.Input.AdvanceTo(first.Buffer.GetPosition(1));
        return (opened, accepted);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_endpoints.Select(endpoint => endpoint.DisposeAsync().AsTask()));
        foreach (PrivateIdentity identity in _identities)
            identity.Dispose();
    }
}
