using System.Runtime.InteropServices;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sessions;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>The sessions of an endpoint, found by the id in their packets, served in turn. Loop only.</summary>
internal sealed class SessionTable
{
    /// <summary>Sessions that an endpoint keeps at a time, unproven ones included.</summary>
    // spec: CONST-54
    public const int MaxCount = 64;

    /// <summary>Sessions at a time that one ticket may lead to: a single holder must not take every place.</summary>
    // spec: CONST-67
    public const int MaxPerTicket = 8;

    private readonly Dictionary<ConnectionId, SessionDriver> _byId = [];
    private readonly List<SessionDriver> _inTurn = [];
    private TaskCompletionSource? _empty;
    private int _next;

    /// <summary>All of them.</summary>
    public ReadOnlySpan<SessionDriver> All => CollectionsMarshal.AsSpan(_inTurn);

    /// <summary>Is there no room for another one?</summary>
    public bool IsFull => _inTurn.Count >= MaxCount;

    /// <summary>The earliest deadline of all.</summary>
    public Instant NextTimeout
    {
        get
        {
            Instant next = Instant.Never;
            foreach (SessionDriver session in _inTurn)
                next = Instant.Min(next, session.NextTimeout);
            return next;
        }
    }

    /// <summary>A new one.</summary>
    public void Add(SessionDriver session)
    {
        _byId.Add(session.LocalId, session);
        _inTurn.Add(session);
    }

    /// <summary>The session of this name, for example the one that a packet is for.</summary>
    public SessionDriver? Find(ConnectionId id) => _byId.GetValueOrDefault(id);

    /// <summary>Sessions that this ticket has led to.</summary>
    public int CountOf(TicketId ticket) => _inTurn.Count(session => session.Session.Ticket == ticket);

    /// <summary>Does a session need the relay of this server?</summary>
    public bool UseRelay(RendezvousLink link) => _inTurn.Exists(session => session.Relay?.Link == link);

    /// <summary>The next one to ask for a datagram, so that none starves the others.</summary>
    public SessionDriver Next()
    {
        _next = (_next + 1) % _inTurn.Count;
        return _inTurn[_next];
    }

    /// <summary>Completes when the last session is gone.</summary>
    public Task WhenEmptyAsync()
    {
        if (_inTurn.Count == 0)
            return Task.CompletedTask;
        _empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _empty.Task;
    }

    /// <summary>Drops those that have nothing left to say.</summary>
    public void DropTerminated()
    {
        for (int i = _inTurn.Count - 1; i >= 0; i--)
        {
            SessionDriver session = _inTurn[i];
            if (!session.IsTerminated)
                continue;
            _inTurn.RemoveAt(i);
            _byId.Remove(session.LocalId);
            session.Dispose();
        }

        if (_inTurn.Count == 0)
            _empty?.TrySetResult();
    }
}
