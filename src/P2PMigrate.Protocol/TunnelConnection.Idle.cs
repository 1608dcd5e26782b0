using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol;

/// <content>How long silence may last.</content>
public sealed partial class TunnelConnection
{
    /// <summary>How long a session that is held lives without a word of the peer.</summary>
    // spec: CONST-268
    public static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(75);

    /// <summary>How much longer silence may last once the peer's machine has said that nobody listens there.</summary>
    // spec: CONST-391
    public static readonly TimeSpan RefusedSilence = TimeSpan.FromSeconds(8);

    private Instant _heldUntil;
    private Instant _refusedAt;          // when the peer's machine said so first since anything was heard

    /// <summary>When the last authentic packet of the peer came, or the connection began.</summary>
    public Instant LastHeardAt => _receiver.LastHeardAt ?? _startedAt;

    // The idle timeout; less after a refusal, more while the session is held.
    private Instant IdleDeadline => Instant.Max(
        Instant.Min(LastHeardAt + _idleTimeout, IsRefused ? _refusedAt + RefusedSilence : Instant.Never),
        Instant.Min(_heldUntil, LastHeardAt + LongestHold));

    private bool IsRefused => _refusedAt > LastHeardAt;

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
    /// The machine at <paramref name="remote"/>, or somebody who says so, has no program that listens at this port any more. That ends nothing by itself: the peer still
    /// has <see cref="RefusedSilence"/> to be heard. A router that has just come back says so too, when it has forgotten whom the address belongs to.
    /// </summary>
    // spec: MIG-121
    public void HandleRefusal(Instant now, NetworkAddress remote)
    {
        if (_paths.Primary is { Pair.Address: { Kind: PathKind.Direct } address } && address.Remote == remote && !IsRefused)
            _refusedAt = now;
    }
}
