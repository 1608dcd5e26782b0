using P2PMigrate.Agent.Commands;
using P2PMigrate.Agent.State;
using P2PMigrate.Migration.Depots.Remote;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Places;

/// <summary>The places of peers that one command uses, and its end of the tunnels to them. Nobody is dialled before something is asked. Disposing says goodbye. Safe for use from several threads.</summary>
internal sealed class TunnelPlaces : IAsyncDisposable
{
    private readonly Dictionary<PeerId, RemoteObjectStore> _places = [];
    private readonly Lock _lock = new();
    private Task<PeerConnection>? _connection;

    /// <summary>The UDP address to use; null for any port.</summary>
    public string? Listen { get; set; }

    /// <summary>The most bytes a second to send; null for no limit.</summary>
    public double? MaxRate { get; set; }

    /// <summary>The place of a peer, the same one whenever it is asked for.</summary>
    public RemoteObjectStore Open(CommandContext context, PeerId peer)
    {
        lock (_lock)
        {
            if (!_places.TryGetValue(peer, out RemoteObjectStore? place))
                _places[peer] = place = new RemoteObjectStore(ObjectPlaces.NameOf(peer), stop => DialAsync(context, peer, stop));
            return place;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (RemoteObjectStore place in _places.Values)
            await place.DisposeAsync().ConfigureAwait(false);
        if (_connection is { IsCompletedSuccessfully: true } connected)
            await (await connected.ConfigureAwait(false)).DisposeAsync().ConfigureAwait(false);
    }

    private async Task<ITunnelSession> DialAsync(CommandContext context, PeerId peer, CancellationToken cancellationToken)
    {
        Ticket ticket = new KnownPlaces(context.State).TryFind(peer)
            ?? throw new TunnelException(TunnelFailure.TicketRefused, "This machine has no ticket of that peer. Type the same with -d TICKET, the one that `p2pmigrate receive --place DIR` shows there.");
        try
        {
            PeerConnection connection = await ConnectAsync(context, cancellationToken).ConfigureAwait(false);
            return await connection.DialAsync(ticket.Format(), cancellationToken).ConfigureAwait(false);
        }
        catch (TunnelException refused) when (refused.Reason == TunnelFailure.TicketRefused)
        {
            throw new TunnelException(refused.Reason, $"{refused.Message} Then type the same with -d TICKET.", refused);
        }
    }

    /// <summary>One endpoint for all of them. One that could not be opened is tried again.</summary>
    private Task<PeerConnection> ConnectAsync(CommandContext context, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_connection is null or { IsFaulted: true } or { IsCanceled: true })
                _connection = PeerConnection.OpenForMigrationAsync(context, rendezvous: null, Listen, cancellationToken, MaxRate);
            return _connection;
        }
    }
}
