namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// What a server knows of the one at the other end of a trunk leg: whether it has answered what it was asked, and whether the peer on this side
/// misses it. Owned by its <see cref="RelayLeg"/>.
/// </summary>
/// <remarks>spec: RLY-22, RLY-31.</remarks>
internal sealed class TrunkWatch(Instant claimedAt)
{
    /// <summary>A server that has not answered for this long is not there, or does not know the leg.</summary>
    // spec: CONST-290
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How long a peer has to miss its partner. What is longer ago than this says nothing about now.</summary>
    // spec: CONST-290
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    private Streak _questions;
    private Streak _misses;

    /// <summary>Was it only lately that somebody said that a server is there? It may still answer.</summary>
    // spec: RLY-22
    public bool IsFresh(Instant now) => now - claimedAt < Patience;

    /// <summary>Is there no server at the other end any more, or does it not know the leg?</summary>
    // spec: RLY-31
    public bool IsLost(Instant now) => _questions.HasLasted(now, Patience);

    /// <summary>Is it lost, or has it brought nothing while the peer on this side was asking for its partner?</summary>
    // spec: RLY-22
    public bool IsGone(Instant now) => IsLost(now) || _misses.HasLasted(now, Silence);

    /// <summary>The server was asked whether it is there.</summary>
    public void Asked(Instant now) => _questions.Add(now);

    /// <summary>It answered.</summary>
    public void Answered() => _questions = default;

    /// <summary>The peer on this side hears nothing.</summary>
    public void Missed(Instant now) => _misses.Add(now);

    /// <summary>A frame came from there, or the server is at another address now.</summary>
    public void Heard() => (_questions, _misses) = (default, default);

    /// <summary>Things that happened again and again, with no more than <see cref="Silence"/> between two.</summary>
    private struct Streak
    {
        private Instant? _first;
        private Instant _last;

        public void Add(Instant now)
        {
            _first = _first is { } first && now - _last < Silence ? first : now;
            _last = now;
        }

        public readonly bool HasLasted(Instant now, TimeSpan time) => _first is { } first && now - first >= time && now - _last < Silence;
    }
}
