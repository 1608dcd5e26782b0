namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// Finds out from acknowledgements whether a path spoils trains: some kernels, drivers and virtual machines do, wholly or
/// only the last datagram, without a word to the sender. Trains are trusted; when more of their packets get lost than
/// hardly ever happens, packets leave alone and in short trains by turns, and if trains fare much worse than packets that
/// left alone, they are given up for a while. One owner.
/// </summary>
/// <remarks>Nothing is spent on it while nothing is lost: packets that leave alone cost four times the processor.</remarks>
// spec: REC-50
internal sealed class TrainWatch
{
    /// <summary>Datagrams of a train, and packets that leave alone in a row, while the two are compared.</summary>
    // spec: CONST-64
    public const int TrialLength = 16;

    // spec: CONST-64
    private const int SuspicionWindow = 1024;
    private const int SuspiciousLosses = 12;
    private const int EnoughToJudge = 32;
    private const int EnoughToAcquit = 256;
    private const double WorseBy = 3;
    private const double Margin = 1.0 / 64;
    private const int MaxDoublings = 6;

    // spec: CONST-65
    private static readonly TimeSpan s_firstBan = TimeSpan.FromSeconds(60);
    private const int FirstTruce = 16 * SuspicionWindow;

    private Tally _trains;
    private Tally _alone;
    private TrainTrust _trust;
    private Instant? _bannedUntil;
    private int _bans;
    private int _acquittals;
    private int _trainTurn;
    private int _aloneTurn;
    private long _truce;

    /// <summary>What is thought of trains on this path.</summary>
    public TrainTrust Trust => _trust;

    /// <summary>How many of <paramref name="wanted"/> datagrams may leave together now.</summary>
    public int Limit(Instant now, int wanted)
    {
        if (_trust == TrainTrust.Banned)
        {
            _bannedUntil ??= now + s_firstBan * (1 << Math.Min(_bans++, MaxDoublings));
            if (now >= _bannedUntil)
                Compare();
        }

        return _trust switch
        {
            TrainTrust.Trusted => wanted,
            TrainTrust.Compared when _trainTurn > 0 => Math.Min(wanted, TrialLength),
            _ => 1,
        };
    }

    /// <summary>So many packets left together; one left alone.</summary>
    public void HandleSent(int count)
    {
        if (_trust != TrainTrust.Compared)
            return;
        if (_trainTurn > 0)
            _trainTurn = Math.Max(0, _trainTurn - count);
        else
            _aloneTurn = Math.Max(0, _aloneTurn - count);
        if (_trainTurn + _aloneTurn == 0)
            (_trainTurn, _aloneTurn) = (TrialLength, TrialLength);
    }

    /// <summary>It is known what became of a packet that left in a train, or alone.</summary>
    public void HandleFate(bool inTrain, bool isLost)
    {
        if (_trust == TrainTrust.Banned)
            return;
        (inTrain ? ref _trains : ref _alone).Count(isLost);
        if (_trust == TrainTrust.Compared)
            Judge();
        else if (inTrain)
            Suspect();
    }

    private void Suspect()
    {
        _truce = Math.Max(0, _truce - 1);
        if (_trains.Lost >= SuspiciousLosses && _truce == 0)
            Compare();
        else if (_trains.Total >= SuspicionWindow)
            _trains = default;
    }

    private void Judge()
    {
        if (_trains.Total < EnoughToJudge || _alone.Total < EnoughToJudge)
            return;
        if (_trains.Lost >= SuspiciousLosses && _trains.Rate > WorseBy * _alone.Rate + Margin)
            (_trust, _bannedUntil) = (TrainTrust.Banned, null);
        else if (_trains.Total >= EnoughToAcquit && _alone.Total >= EnoughToAcquit)
            Acquit();
    }

    private void Compare()
    {
        _trust = TrainTrust.Compared;
        (_trains, _alone) = (default, default);
        (_trainTurn, _aloneTurn) = (TrialLength, TrialLength);
    }

    // A path that loses packets of both kinds would be suspected again at once.
    private void Acquit()
    {
        _trust = TrainTrust.Trusted;
        (_trains, _alone) = (default, default);
        _truce = (long)FirstTruce << Math.Min(_acquittals++, MaxDoublings);
    }

    private struct Tally
    {
        public int Total;
        public int Lost;

        public readonly double Rate => (double)Lost / Total;

        public void Count(bool isLost)
        {
            Total++;
            Lost += isLost ? 1 : 0;
        }
    }
}

/// <summary>What a <see cref="TrainWatch"/> thinks of trains.</summary>
internal enum TrainTrust
{
    /// <summary>Nothing speaks against them.</summary>
    Trusted,

    /// <summary>Packets leave alone and in trains by turns.</summary>
    Compared,

    /// <summary>Packets leave alone.</summary>
    Banned,
}
