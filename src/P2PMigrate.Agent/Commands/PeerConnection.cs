using System.Net;
using Microsoft.Extensions.Logging;
using P2PMigrate.Agent.Output;
using P2PMigrate.Agent.State;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Turn;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Commands;

/// <summary>This peer on the network for the time of one command: its key and its endpoint. Disposing says goodbye to everybody.</summary>
internal sealed class PeerConnection : IAsyncDisposable
{
    /// <summary>
    /// How long a migration bears that nothing is heard: a link that is away for half a minute does not end it. The peer of a session that is no migration announces less, and the
    /// shorter one counts.
    /// </summary>
    // spec: MIG-120, CONST-390
    public static readonly TimeSpan MigrationSilence = TimeSpan.FromSeconds(40);

    private readonly PrivateIdentity _identity;

    private PeerConnection(PrivateIdentity identity, TunnelEndpoint endpoint) => (_identity, Endpoint) = (identity, endpoint);

    public TunnelEndpoint Endpoint { get; }

    /// <summary>Opens the endpoint; <paramref name="rendezvous"/> is where this peer wants to be found.</summary>
    public static Task<PeerConnection> OpenAsync(
        CommandContext context, ServerName? rendezvous, string? listen, CancellationToken cancellationToken) =>
        OpenAsync(context, rendezvous, listen, options => options, cancellationToken);

    /// <summary>The same for a peer that migrates or receives, and sends no more than <paramref name="maxRate"/> bytes a second.</summary>
    public static Task<PeerConnection> OpenForMigrationAsync(
        CommandContext context, ServerName? rendezvous, string? listen, CancellationToken cancellationToken, double? maxRate = null)
    {
        return OpenAsync(context, rendezvous, listen, Tune, cancellationToken);

        TunnelOptions Tune(TunnelOptions options) => options with
        {
            Parameters = options.Parameters with { IdleTimeout = MigrationSilence },
            Recovery = options.Recovery with { MaxRate = maxRate },
        };
    }

    /// <summary>The same with other <paramref name="tune"/>d options.</summary>
    public static async Task<PeerConnection> OpenAsync(
        CommandContext context, ServerName? rendezvous, string? listen, Func<TunnelOptions, TunnelOptions> tune, CancellationToken cancellationToken)
    {
        IPEndPoint? address = listen is null ? null : PeerAddressing.ListenAddress(listen);
        TurnServer? turn = PeerAddressing.TurnServerOf(
            context.Parsed.GetValue(PeerAddressing.Turn) ?? Environment.GetEnvironmentVariable(PeerAddressing.TurnVariable));
        PrivateIdentity identity = IdentityFile.LoadOrCreate(context.State.Root);
        var options = new TunnelOptions
        {
            Identity = identity,
            Rendezvous = rendezvous,
            Logger = context.Log.CreateLogger<TunnelEndpoint>(),
            MapPortOnGateway = !context.Parsed.GetValue(PeerAddressing.NoPortMapping),
            Turn = turn,
            AllowPunching = !context.Parsed.GetValue(PeerAddressing.NoPunching),
        };
        TunnelEndpoint endpoint = await TunnelEndpoint.OpenAsync(
            tune(address is null ? options : options with { Listen = address }), cancellationToken).ConfigureAwait(false);
        return new PeerConnection(identity, endpoint);
    }

    /// <summary>Reaches the peer that issued the ticket. Throws <see cref="TunnelException"/> with the reason.</summary>
    public async Task<TunnelSession> DialAsync(string ticketText, CancellationToken cancellationToken)
    {
        Ticket ticket = PeerAddressing.TicketOf(ticketText, Endpoint.PeerId);
        if (ticket.IsExpired(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()))
        {
            throw new TunnelException(
                TunnelFailure.TicketRefused,
                $"The ticket expired at {DateTimeOffset.FromUnixTimeSeconds(ticket.ExpiresAtUnixSeconds):u}; ask the other side for the one that `p2pmigrate receive` shows now.");
        }
        return await Endpoint.DialAsync(ticket, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Shows every path that takes over, until the session ends.</summary>
    public static async Task ShowPathsAsync(TunnelSession session, IOutput output)
    {
        await foreach (PathSummary path in session.WatchPathAsync().ConfigureAwait(false))
            output.Show(new PathChosen(MigrationView.Word(path.Kind), path.Remote, Math.Round(path.RoundTrip.TotalMilliseconds, 2)));
    }

    public async ValueTask DisposeAsync()
    {
        await Endpoint.DisposeAsync().ConfigureAwait(false);
        _identity.Dispose();
    }
}
