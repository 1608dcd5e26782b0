using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol;

/// <content>How long silence may last.</content>
public sealed partial class TunnelConnection
{
    /// <summary>How long a session that is held lives without a word of the peer.</summary>
    // spec: CONST-268
    public static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(75);

    /// <summary>How long silence may last once the peer's machine has said that nobody listens there.</summary>
    // spec: CONST-391
    public static readonly TimeSpan RefusedSilence = TimeSpan.FromSeconds(8);

    private Instant _heldUntil;
    private Instant? _refusedAt;         // when the peer's machine said so last

    /// <summary>When the last authentic packet of the peer came, or the connection began.</summary>
    public Instant LastHeardAt => _receiver.LastHeardAt ?? _startedAt;

    private Instant IdleDeadline => Instant.Max(LastHeardAt + Patience, Instant.Min(_heldUntil, LastHeardAt + LongestHold));

    private TimeSpan Patience => _refusedAt > LastHeardAt && _idleTimeout > RefusedSilence ? RefusedSilence : _idleTimeout;

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

    /// <summary>
    /// The machine at <paramref name="remote"/>, or somebody who says so, has no program that listens at this port any more. That ends nothing by itself: it only makes
    /// silence that there is already count sooner.
    /// </summary>
    // spec: MIG-121
    public void HandleRefusal(Instant now, NetworkAddress remote)
    {
        if (_paths.Primary is { Pair.Address: { Kind: PathKind.Direct } address } && address.Remote == remote)
            _refusedAt = now;
    }
}
