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
    /// <summary>How long it lasts at most when the peer can be heard directly only.</summary>
    // spec: CONST-247
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    /// <summary>The same when there is a relay, by which the peer is heard as soon as it begins.</summary>
    // spec: CONST-247
    public static readonly TimeSpan PatienceWithRelay = TimeSpan.FromSeconds(1);

    /// <summary>
    /// So much longer when the peer was heard by another way than the direct one: what it says there may overtake its first
    /// probe.
    /// </summary>
    // spec: CONST-247
    public static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(20);

    /// <summary>Passes one NAT.</summary>
    // spec: CONST-247
    public const byte Shortest = 2;

    private readonly bool _isNeeded = role == ConnectionRole.Responder;
    private Instant? _until;
    private bool _isPeerHeard;

    /// <summary>The hop limit of the n-th probe, counted from 0, of a socket that is sent from often: it passes one NAT, two, three.</summary>
    // spec: CONST-247
    public static byte LimitOf(int index) => (byte)Math.Min(Shortest + index, 4);

    /// <summary>For the next probe of a pair; 0 when it may go all the way. More than one NAT would be passed into the router of a neighbour.</summary>
    public byte LimitOf(Instant now, CandidatePair pair, bool hasRelay)
    {
        if (!IsFor(pair))
            return 0;
        _until ??= now + (hasRelay ? PatienceWithRelay : Patience);
        return IsOver(now) ? (byte)0 : Shortest;
    }

    /// <summary>Shall the next probe of a pair leave before the peer can have begun? Then nothing may go ahead of it that tells the peer to begin.</summary>
    // spec: PATH-85
    public bool AreOwed(Instant now, CandidatePair pair) => IsFor(pair) && !_isPeerHeard && !IsOver(now);

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

    // Nothing is over that has not begun.
    private bool IsOver(Instant now) => _until is { } until && now >= until;

    private bool IsFor(CandidatePair pair) => _isNeeded && pair is { Kind: PathKind.Direct, IsKnown: false, State: PairState.Probing };
}
