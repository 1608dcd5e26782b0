using System.Collections.Concurrent;
using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Depots.Remote;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Reception;

/// <summary>
/// Opens the place that <paramref name="server"/> serves, null when none is kept here, to whoever holds a ticket. The ticket is not spent by that: stages are typed at different times. Safe for use from
/// several threads.
/// </summary>
// spec: DEP-50
internal sealed class PlaceDesk(PlaceServer? server, TicketDesk tickets, IOutput output) : IDisposable
{
    /// <summary>Most sessions at once: each may have an object in memory.</summary>
    // spec: CONST-471
    public const int SessionsMax = 8;

    private const int SessionsOfOneMax = 2;

    private readonly SemaphoreSlim _room = new(SessionsMax);
    private readonly ConcurrentDictionary<PeerId, int> _served = [];

    /// <summary>Serves the session to its end, which is an exception: what broke it, or the sentence with which its peer is turned away.</summary>
    public async Task ServeAsync(TunnelSession session, TargetQuestion question, CancellationToken cancellationToken)
    {
        if (server is null)
            throw Refusal("The peer keeps no place for others. Type there: p2pmigrate receive --place DIR");
        if (!await tickets.IsIssuedAsync(session.Ticket, cancellationToken).ConfigureAwait(false))
            throw Refusal("Without a ticket the place of a peer is not opened.");
        if (!await _room.WaitAsync(TimeSpan.Zero, cancellationToken).ConfigureAwait(false))
            throw Refusal("Too many others use the place of the peer now; try again later.");
        try
        {
            if (_served.AddOrUpdate(session.Peer, 1, (_, count) => count + 1) > SessionsOfOneMax)
                throw Refusal("You use the place of the peer elsewhere already; try again when that has ended.");
            await question.AnswerAsync(cancellationToken).ConfigureAwait(false);
            output.Show(new PlaceUsed(session.Peer.ToShortString()));
            await server.ServeAsync(session, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _served.AddOrUpdate(session.Peer, 0, (_, count) => count - 1);
            _room.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _room.Dispose();

    private static MigrationException Refusal(string why) => new(MigrationFault.WrongState, why);
}
