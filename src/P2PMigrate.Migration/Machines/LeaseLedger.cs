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

    /// <summary>Notes that a request is sent now, and gives its number. The first one, 0, is the message Prepare.</summary>
    public ulong Send(Instant now)
    {
        Forget(now);
        _sent.Enqueue((_next, now));
        return _next++;
    }

    /// <summary>Is the answer to request <paramref name="number"/> still worth something?</summary>
    // spec: MIG-40
    public bool IsFresh(ulong number, Instant now)
    {
        Forget(now);
        return _sent.Any(request => request.Number == number);
    }

    private void Forget(Instant now)
    {
        while (_sent.Count > 0 && now - _sent.Peek().SentAt > lease)
            _sent.Dequeue();
    }
}
