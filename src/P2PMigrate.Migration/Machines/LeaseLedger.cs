using P2PMigrate.Protocol;

namespace P2PMigrate.Migration.Machines;

/// <summary>
/// The source's side of the lease: when each lease request was sent, so that an answer can be judged by the age of its question.
/// Requests older than the lease are forgotten, which bounds the ledger.
/// </summary>
internal sealed class LeaseLedger(TimeSpan lease, TimeSpan freshness)
{
    private readonly Queue<(ulong Number, Instant SentAt)> _sent = new();
    private ulong _next;
    private TimeSpan _quickest;     // the age of the quickest answer so far; zero: there was none

    /// <summary>Notes that a request is sent now, and gives its number. The first one, 0, is the message Prepare.</summary>
    public ulong Send(Instant now)
    {
        Forget(now);
        _sent.Enqueue((_next, now));
        return _next++;
    }

    /// <summary>
    /// Does the answer to request <paramref name="number"/> tell what holds now? A slow path makes every answer old, so one that took no
    /// longer than twice the quickest before it counts too.
    /// </summary>
    // spec: MIG-40, MIG-47
    public bool IsFresh(ulong number, Instant now)
    {
        Forget(now);
        foreach ((ulong sent, Instant sentAt) in _sent)
        {
            if (sent != number)
                continue;
            TimeSpan age = now - sentAt;
            bool isFresh = age <= freshness || age <= _quickest * 2;
            if (_quickest == TimeSpan.Zero || age < _quickest)
                _quickest = age;
            return isFresh;
        }

        return false;
    }

    private void Forget(Instant now)
    {
        while (_sent.Count > 0 && now - _sent.Peek().SentAt > lease)
            _sent.Dequeue();
    }
}
