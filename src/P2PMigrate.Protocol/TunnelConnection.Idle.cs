using P2PMigrate.Protocol.Paths;

namespace P2PMigrate.Protocol;

/// <content>How long silence may last.</content>
public sealed partial class TunnelConnection
{
    /// <summary>How long a session that is held lives without a word of the peer.</summary>
    // spec: CONST-268
    public static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(75);

    private Instant _heldUntil;

    /// <summary>When the last authentic packet of the peer came, or the connection began.</summary>
    public Instant LastHeardAt => _receiver.LastHeardAt ?? _startedAt;

    private Instant IdleDeadline => Instant.Max(LastHeardAt + _idleTimeout, Instant.Min(_heldUntil, LastHeardAt + LongestHold));

    /// <summary>
    /// The owner knows that nothing can be heard on the relayed path that data takes now: silence up to <paramref name="until"/> does
    /// not end the session, but for <see cref="LongestHold"/> at most.
    /// </summary>
    // spec: PATH-81
    public void Hold(Instant until)
    {
        if (_paths.Primary is { Pair.Address.Kind: PathKind.Relay })
            _heldUntil = Instant.Max(_heldUntil, until);
    }
}
