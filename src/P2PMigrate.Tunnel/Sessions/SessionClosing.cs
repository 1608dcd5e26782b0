using P2PMigrate.Protocol;
using P2PMigrate.Tunnel.Streams;

namespace P2PMigrate.Tunnel.Sessions;

/// <summary>
/// A polite close under way: first every byte that the application had written goes into the connection, then the
/// connection delivers it, then it says goodbye; after <see cref="Patience"/> it says goodbye anyway. Loop only.
/// </summary>
internal sealed class SessionClosing(TunnelConnection connection)
{
    /// <summary>How long what was written may take to be delivered, once a close was asked for.</summary>
    // spec: CONST-52
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private ulong _code;
    private string _reason = "";
    private bool _isFlushing;

    /// <summary>Was a close asked for?</summary>
    public bool IsWanted { get; private set; }

    /// <summary>When patience ends.</summary>
    public Instant Deadline { get; private set; } = Instant.Never;

    /// <summary>The first call counts.</summary>
    public void Begin(Instant now, ulong code, string reason)
    {
        if (IsWanted)
            return;
        (IsWanted, _code, _reason, Deadline) = (true, code, reason, now + Patience);
    }

    /// <summary>Goes on to the next step when all streams' bytes have been taken by the connection.</summary>
    public void Advance(Instant now, IEnumerable<TunnelStream> streams)
    {
        if (_isFlushing || streams.Any(stream => stream.HasUnsent))
            return;
        _isFlushing = true;
        connection.Close(now, _code, _reason, flush: true);
    }

    /// <summary>Ends the patience when it is over.</summary>
    public void HandleTimeout(Instant now)
    {
        if (now < Deadline)
            return;
        Deadline = Instant.Never;
        connection.Close(now, _code, _reason, flush: false);
    }
}
