using P2PMigrate.Protocol.Paths;

namespace P2PMigrate.Protocol.Punching;

/// <summary>
/// The responder begins half a round trip before the initiator. Until that one has begun too, the responder's probes shall open
/// its own NATs, but not come as far as the other's: there are routers that take in themselves what came too early, and then
/// give their own side another port. One owner.
/// </summary>
// spec: PATH-78
internal sealed class ShortOpeners(ConnectionRole role)
{
    /// <summary>How long it lasts at most.</summary>
    // spec: CONST-247
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    private Instant? _since;
    private bool _isOver = role == ConnectionRole.Initiator;

    /// <summary>Routers that the n-th probe may pass, counted from 0: those of one NAT, of two, of three.</summary>
    // spec: CONST-247
    public static byte LimitOf(int index) => (byte)Math.Min(2 + index, 4);

    /// <summary>For the next probe of a pair; 0 when it may go all the way.</summary>
    public byte LimitOf(Instant now, CandidatePair pair)
    {
        if (_isOver)
            return 0;
        _since ??= now;
        _isOver = now - _since.Value >= Patience;
        return _isOver || pair.Address.Kind != PathKind.Direct || pair.IsKnown || pair.State != PairState.Probing ? (byte)0 : LimitOf(pair.ProbeCount);
    }

    /// <summary>Something of the peer has come, by any way: true if that ends it now.</summary>
    public bool TryEnd()
    {
        bool ends = !_isOver && _since is not null;
        _isOver = true;
        return ends;
    }
}
