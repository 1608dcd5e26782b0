using P2PMigrate.Protocol.Handshake;

namespace P2PMigrate.Protocol.Identity;

/// <summary>
/// What a responder remembers of the tickets that it issued. A ticket is open until a migration is accepted for it or its
/// time is over; a dead one is remembered for <see cref="Grace"/> longer, so that its holder can be told why it is
/// refused. Bounded. One owner, not thread-safe; the caller passes the time of day in UTC seconds.
/// </summary>
/// <remarks>spec: ID-14, ID-15, ID-16.</remarks>
public sealed class TicketBook
{
    /// <summary>Tickets remembered at a time, dead ones included.</summary>
    public const int Capacity = 256;

    /// <summary>How long past its expiry a ticket is remembered, spent or not.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromHours(24);

    private readonly Dictionary<TicketId, TicketRecord> _records = [];

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

    /// <summary>What this peer thinks of a ticket; null for one that it did not issue or has forgotten.</summary>
    public TicketVerdict? Judge(TicketId id, long nowUnixSeconds) => Find(id, nowUnixSeconds) switch
    {
        null => null,
        { IsSpent: true } => TicketVerdict.Spent, // spec: ID-15
        { } record => record.IsDead(nowUnixSeconds) ? TicketVerdict.Expired : TicketVerdict.Open,
    };

    /// <summary>
    /// Uses the ticket up. True for exactly one caller, while the ticket is open; whoever gets true goes on with the
    /// migration.
    /// </summary>
    public bool TrySpend(TicketId id, long nowUnixSeconds)
    {
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
        bool isKnown = _records.TryGetValue(id, out TicketRecord? record);
        record?.Secret.DerivePreSharedKey(key);
        return isKnown;
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
