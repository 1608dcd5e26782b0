namespace P2PMigrate.Tunnel;

/// <summary>
/// The authenticated relationship of two peers, as its users see it: streams, the path they take, and the end.
/// Safe for use from several threads. The session survives path changes; it ends once, with one reason.
/// </summary>
public interface ITunnelSession : IAsyncDisposable
{
    /// <summary>Completes, never faults, when the session has ended; the reason that came first wins.</summary>
    Task<SessionEnd> Completion { get; }

    /// <summary>The path that carries data now, or null before the first one is validated and after the end.</summary>
    PathSummary? PrimaryPath { get; }

    /// <summary>What is worthless when it is late.</summary>
    ITunnelDatagrams Datagrams { get; }

    /// <summary>
    /// Opens a stream. The peer sees it when the first byte or the end of the stream arrives.
    /// Throws <see cref="TunnelException"/> when the session has ended.
    /// </summary>
    ValueTask<ITunnelStream> OpenStreamAsync(StreamPriority priority, CancellationToken cancellationToken = default);

    /// <summary>
    /// The next stream that the peer opened. Streams that are not accepted count against the peer's limit, so it cannot open
    /// more than that. Throws <see cref="TunnelException"/> when the session has ended.
    /// </summary>
    ValueTask<ITunnelStream> AcceptStreamAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends the session after what was already written has been delivered (bounded by a few round trips), and tells the
    /// peer <paramref name="code"/> and <paramref name="reason"/>. Calling it again, or after the end, does nothing.
    /// </summary>
    ValueTask CloseAsync(ulong code, string reason, CancellationToken cancellationToken = default);
}

/// <summary>What a stream carries, best first: a higher class is always sent before a lower one.</summary>
public enum StreamPriority
{
    /// <summary>Control messages: small, never behind data.</summary>
    Control = 0,

    /// <summary>Somebody waits for these bytes: faulted pages, interactive forwarding.</summary>
    Urgent = 1,

    /// <summary>Chunks and page runs.</summary>
    Bulk = 2,
}

/// <summary>How the bytes travel.</summary>
public enum PathKind
{
    /// <summary>Between the peers' own sockets; no third machine carries data.</summary>
    Direct,

    /// <summary>Through a TURN server, which sees ciphertext only.</summary>
    Turn,

    /// <summary>Through the relay of a rendezvous server, which sees ciphertext only.</summary>
    Relay,
}

/// <summary>A path at one moment. <paramref name="RoundTrip"/> is the smoothed round-trip time.</summary>
public sealed record PathSummary(PathKind Kind, string Remote, TimeSpan RoundTrip);

/// <summary>
/// Why a session ended. <paramref name="ByPeer"/> tells whose word it is; <paramref name="IsLost"/> is true when nobody
/// said goodbye (idle timeout, unreachable peer).
/// </summary>
public sealed record SessionEnd(ulong Code, string Reason, bool ByPeer, bool IsLost);
