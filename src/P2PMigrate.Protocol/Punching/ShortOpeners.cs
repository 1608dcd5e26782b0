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

    /// <summary>
    /// So much longer when the peer was heard by another way than the direct one: what it says there may overtake its first
    /// probe.
    /// </summary>
    // spec: CONST-247
    public static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(20);

    private readonly bool _isNeeded = role == ConnectionRole.Responder;
    private Instant? _until;
    private bool _isPeerHeard;

    /// <summary>The hop limit of the n-th probe, counted from 0: it passes one NAT, two, three.</summary>
    // spec: CONST-247
    public static byte LimitOf(int index) => (byte)Math.Min(2 + index, 4);

    /// <summary>For the next probe of a pair; 0 when it may go all the way.</summary>
    public byte LimitOf(Instant now, CandidatePair pair)
    {
        if (!_isNeeded || pair.Address.Kind != PathKind.Direct || pair.IsKnown || pair.State != PairState.Probing)
            return 0;
        _until ??= now + Patience;
        return now >= _until ? (byte)0 : LimitOf(pair.ProbeCount);
    }

    /// <summary>Something of the peer has come: true the first time, when all pairs are to be probed from the start.</summary>
    public bool HandleHeard(Instant now, bool isDirect)
    {
        if (!_isNeeded || _until is not { } until || now >= until || (_isPeerHeard && !isDirect))
            return false;
        bool isFirst = !_isPeerHeard;
        _isPeerHeard = true;
        _until = isDirect ? now : Instant.Min(until, now + Grace);
        return isFirst;
    }
}
