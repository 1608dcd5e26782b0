using P2PMigrate.Protocol;

namespace P2PMigrate.Migration.Machines;

/// <summary>
/// The source's side of the lease: when each lease request was sent, so that an answer can be judged by the age of its question.
/// Requests older than the lease are forgotten, which bounds the ledger.
/// </summary>
internal sealed class LeaseLedger(TimeSpan lease)
{
    private readonly Queue<(ulong Number, Instant SentAt)> _sent = new();
    private ulong _next;
    private Instant? _refusedAt;    // when the first answer came that was too old

    /// <summary>Notes that a request is sent now, and gives its number. The first one, 0, is the message Prepare.</summary>
    public ulong Send(Instant now)
    {
        Forget(now);
        _sent.Enqueue((_next, now));
        return _next++;
    }

    /// <summary>
    /// Does the answer to request <paramref name="number"/> tell what holds now? It does when it is no older than <paramref name="freshness"/>. Once one
    /// was too old, so does the answer to any request that was sent after that one came: a path may be slower than we know.
    /// </summary>
    // spec: MIG-40, MIG-47
    public bool IsFresh(ulong number, Instant now, TimeSpan freshness)
    {
        Forget(now);
        foreach ((ulong sent, Instant sentAt) in _sent)
        {
            if (sent != number)
                continue;
            if (now - sentAt <= freshness || sentAt >= _refusedAt)
                return true;
            _refusedAt ??= now;
            return false;
        }

        return false;
    }

    private void Forget(Instant now)
    {
        while (_sent.Count > 0 && now - _sent.Peek().SentAt > lease)
            _sent.Dequeue();
    }
}
