using P2PMigrate.Protocol.Handshake;

namespace P2PMigrate.Protocol.Identity;

/// <summary>
/// What a responder remembers of the tickets that it issued. A ticket is open until a migration is accepted for it or its
/// time is over; a dead one is remembered for <see cref="Grace"/> longer, so that its holder can be told why it is
/// refused. Beside them stand lasting permissions of single peers, which are never used up. Bounded. One owner, not thread-safe; the caller passes the time of day in UTC seconds.
/// </summary>
/// <remarks>spec: ID-14, ID-15, ID-16, ID-17.</remarks>
public sealed class TicketBook
{
    /// <summary>Tickets remembered at a time, dead ones included.</summary>
    public const int Capacity = 256;

    /// <summary>How long past its expiry a ticket is remembered, spent or not.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromHours(24);

    /// <summary>Peers with a standing permission at a time.</summary>
    // spec: CONST-183
    public const int MaxAdmitted = 1024;

    private readonly Dictionary<TicketId, TicketRecord> _records = [];
    private readonly Dictionary<TicketId, (PeerId Holder, TicketSecret Secret)> _standing = [];

    /// <summary>Everything remembered, for a driver that keeps it across restarts.</summary>
    public IReadOnlyCollection<TicketRecord> Records => _records.Values;

    /// <summary>
    /// Remembers a ticket as open. When the book is full the ticket closest to being forgotten makes room, dead ones
    /// first.
    /// </summary>
    public void Add(Ticket ticket, long nowUnixSeconds) =>
        Restore(new TicketRecord(ticket.Secret, ticket.ExpiresAtUnixSeconds, IsSpent: false), nowUnixSeconds);

    /// <summary>Takes back what <see cref="Records"/> gave before a restart.</summary>
    public void Restore(TicketRecord record, long nowUnixSeconds)
    {
        Forget(nowUnixSeconds);
        if (_records.Count == Capacity)
        {
            _records.Remove(_records.Values.MinBy(old => (!old.IsDead(nowUnixSeconds), old.ExpiresAtUnixSeconds, old.Id.Value))!.Id);
        }

        _records[record.Id] = record;
    }

    /// <summary>
    /// Admits <paramref name="initiator"/> without a ticket until <see cref="Dismiss"/>; <paramref name="own"/> is whoever owns this book. Repeating it changes
    /// nothing. False when <see cref="MaxAdmitted"/> peers are admitted already, and for a public key of low order.
    /// </summary>
    // spec: ID-17
    public bool TryAdmit(PrivateIdentity own, PublicIdentity initiator)
    {
        if (!StandingPermission.TryDeriveAsResponder(own, initiator, out TicketSecret secret))
            return false;
        TicketId id = secret.DeriveId();
        if (_standing.Count == MaxAdmitted && !_standing.ContainsKey(id))
            return false;
        _standing[id] = (initiator.PeerId, secret);
        return true;
    }

    /// <summary>Ends a peer's standing permission, if it has one; its sessions go on.</summary>
    public void Dismiss(PeerId initiator)
    {
        foreach (TicketId id in _standing.Where(entry => entry.Value.Holder == initiator).Select(entry => entry.Key).ToArray())
            _standing.Remove(id);
    }

    /// <summary>What this peer thinks of a ticket in the hands of <paramref name="initiator"/>; null for one that it did not issue to it or has forgotten.</summary>
    public TicketVerdict? Judge(TicketId id, PeerId initiator, long nowUnixSeconds) =>
        !_standing.TryGetValue(id, out var standing) ? Judge(id, nowUnixSeconds)
        : standing.Holder == initiator ? TicketVerdict.Open
        : null;

    /// <summary>What this peer thinks of a ticket that it issued; null for one that it did not issue or has forgotten.</summary>
    public TicketVerdict? Judge(TicketId id, long nowUnixSeconds) => Find(id, nowUnixSeconds) switch
    {
        null => null,
        { IsSpent: true } => TicketVerdict.Spent, // spec: ID-15
        { } record => record.IsDead(nowUnixSeconds) ? TicketVerdict.Expired : TicketVerdict.Open,
    };

    /// <summary>
    /// Uses the ticket up. True for exactly one caller, while the ticket is open; whoever gets true goes on with the
    /// migration. A standing permission is not used up.
    /// </summary>
    public bool TrySpend(TicketId id, long nowUnixSeconds)
    {
        if (_standing.ContainsKey(id))
            return true;
        if (Judge(id, nowUnixSeconds) != TicketVerdict.Open)
        {
            return false;
        }

        _records[id] = _records[id] with { IsSpent = true };
        return true;
    }

    /// <summary>Writes the pre-shared key that belongs to the ticket; false for an unknown one.</summary>
    internal bool TryDerivePreSharedKey(TicketId id, Span<byte> key)
    {
        if (_standing.TryGetValue(id, out var standing))
            standing.Secret.DerivePreSharedKey(key);
        else if (_records.TryGetValue(id, out TicketRecord? record))
            record.Secret.DerivePreSharedKey(key);
        else
            return false;
        return true;
    }

    private TicketRecord? Find(TicketId id, long nowUnixSeconds) =>
        _records.TryGetValue(id, out TicketRecord? record) && !record.IsForgotten(nowUnixSeconds) ? record : null;

    private void Forget(long nowUnixSeconds)
    {
        foreach (TicketRecord record in _records.Values.Where(record => record.IsForgotten(nowUnixSeconds)).ToArray())
        {
            _records.Remove(record.Id); // spec: ID-16
        }
    }
}

/// <summary>What is remembered of one ticket. The secret makes it as sensitive as the ticket itself.</summary>
public sealed record TicketRecord(TicketSecret Secret, long ExpiresAtUnixSeconds, bool IsSpent)
{
    /// <summary>The ticket's public name.</summary>
    public TicketId Id { get; } = Secret.DeriveId();

    /// <summary>Does it admit nothing any more?</summary>
    public bool IsDead(long nowUnixSeconds) => IsSpent || nowUnixSeconds >= ExpiresAtUnixSeconds;

    internal bool IsForgotten(long nowUnixSeconds) =>
        nowUnixSeconds - (long)TicketBook.Grace.TotalSeconds >= ExpiresAtUnixSeconds;
}
