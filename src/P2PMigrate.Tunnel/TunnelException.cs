namespace P2PMigrate.Tunnel;

/// <summary>The tunnel could not be made or did not last. <see cref="Reason"/> is the reason that came first.</summary>
public sealed class TunnelException : Exception
{
    /// <summary>Says what happened in a sentence that a person can act on.</summary>
    public TunnelException(TunnelFailure reason, string message, Exception? inner = null)
        : base(message, inner) => Reason = reason;

    /// <summary>
    /// The same for a stream that ends early with a code. Thrown by a stream it carries the peer's code; given to the
    /// completion of an output or input it is the code that the peer gets.
    /// </summary>
    public TunnelException(string message, ulong code, Exception? inner = null)
        : base(message, inner) => (Reason, Code) = (TunnelFailure.StreamReset, code);

    /// <summary>The kind of failure.</summary>
    public TunnelFailure Reason { get; }

    /// <summary>With <see cref="TunnelFailure.StreamReset"/> the code that the application gave for it; 0 when it gave none.</summary>
    public ulong Code { get; }

    /// <summary>A fresh exception to throw that says the same, with this one inside.</summary>
    internal TunnelException Again() =>
        Reason == TunnelFailure.StreamReset ? new(Message, Code, this) : new(Reason, Message, this);

    /// <summary>The code with which a stream is given up because of <paramref name="exception"/>.</summary>
    internal static ulong CodeOf(Exception? exception) => (exception as TunnelException)?.Code ?? 0;
}

/// <summary>Kinds of tunnel failure that a caller may want to tell apart.</summary>
public enum TunnelFailure
{
    /// <summary>The rendezvous server did not answer.</summary>
    RendezvousUnreachable,

    /// <summary>The rendezvous server knows no such peer: it is not running or not registered.</summary>
    PeerUnknown,

    /// <summary>The peer did not answer in time.</summary>
    PeerUnreachable,

    /// <summary>The peer refused the ticket (used, expired, unknown) and said so.</summary>
    TicketRefused,

    /// <summary>The peer does not speak our version or broke the protocol.</summary>
    Protocol,

    /// <summary>The session was closed by either side.</summary>
    Closed,

    /// <summary>The session was lost: nothing came from the peer for the idle timeout.</summary>
    Lost,

    /// <summary>The peer reset this stream or stopped reading it.</summary>
    StreamReset,

    /// <summary>The local endpoint could not do it (socket, address).</summary>
    Local,
}
