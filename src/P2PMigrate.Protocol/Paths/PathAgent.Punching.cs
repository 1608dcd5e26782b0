using P2PMigrate.Protocol.Punching;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Paths;

/// <content>How it goes on while there is no direct path: from the start now and then, and through NATs that probes alone do not open.</content>
internal sealed partial class PathAgent
{
    // The peer chooses its own path: what it still uses has been heard of by then, through its keep-alives.
    private static readonly TimeSpan s_socketsKept = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan s_heardLately = TimeSpan.FromSeconds(5);

    private Instant _trimAt = Instant.Never;

    private Instant SearchAt => Instant.Min(Instant.Min(_upgrades.NextAt, _fresh.NextAt), _trimAt);

    /// <summary>Is a probe due that has to pass our NATs before the peer hears that we have begun?</summary>
    // spec: PATH-85
    public bool OwesOpeners(Instant now) => now >= _pairs.NextProbe && _pairs.TakeDue(now) is { } pair && _openers.AreOwed(now, pair);

    /// <summary>A rendezvous server sees the peer at this address, so that it may be punched.</summary>
    // spec: PATH-74
    public void AddVouchedCandidate(Instant now, NetworkAddress address)
    {
        if (!address.IsUsable)
            return;
        AddRemoteCandidate(now, new(CandidateKind.Reflexive, address));
        _puncher.Vouch(address);
        FollowSearch(now);
    }

    private void FollowSearch(Instant now)
    {
        bool isDirect = Primary is { Kind: PathKind.Direct };
        if (isDirect == !_upgrades.IsRunning)
            return;
        if (!isDirect)
        {
            _trimAt = Instant.Never;
            BeginSearch(now);
            return;
        }

        _upgrades.End();
        _fresh.End();
        _puncher.Stop();
        if (!_puncher.HoldsSockets && !_fresh.IsOpen)
            return;
        ReleaseSockets(_ => true);
        _trimAt = now + s_socketsKept;
    }

    // spec: PATH-77
    private void SearchAgain(Instant now)
    {
        if (_upgrades.IsRunning)
            BeginSearch(now);
    }

    private void BeginSearch(Instant now)
    {
        _upgrades.Begin(now);
        _fresh.Begin(now);
        _puncher.Want(now + UpgradeTimetable.HeadStart);
    }

    private void Search(Instant now)
    {
        if (now >= _trimAt)
        {
            _trimAt = Instant.Never;
            ForgetSockets(now, _ => false);
        }

        if (now >= _fresh.NextAt)
            TryAnotherSocket(now);
        if (now < _upgrades.NextAt)
            return;
        _upgrades.Take();
        _fresh.Begin(now);
        ProbeAgain(now);
        _puncher.Want(now);
    }

    private bool IsNeeded(Instant now, CandidatePair pair) =>
        pair == Primary || pair == _peer.At || pair == _peer.Left || now - pair.LastHeardAt < s_heardLately;

    private bool TryPunch(Instant now, out OutgoingProbe probe)
    {
        probe = default;
        if (_puncher.IsOver)
        {
            bool heldSockets = _puncher.HoldsSockets;
            if (!_puncher.TryBegin(now))
                return false;
            if (heldSockets)
                ForgetSockets(now, _ => false); // The attempt takes other ones: the NAT gives their ports anew.
        }

        bool isThere = _puncher.TryNext(now, out PathAddress path, out byte hopLimit);
        if (isThere)
            probe = _maker.MakeLoose(path, hopLimit);
        else if (_puncher is { IsOver: true, HoldsSockets: true })
            ForgetSockets(now, pair => pair.State != PairState.Probing);
        return isThere;
    }

    // A pair goes with its socket: a later probe would open another one, which nobody closes.
    // spec: PATH-76
    private void ForgetSockets(Instant now, Predicate<CandidatePair> isKept)
    {
        _pairs.RemoveAll(pair => IsOnFurtherSocket(pair) && !IsNeeded(now, pair) && !isKept(pair), _peer);
        ReleaseSockets(_ => true);
    }

    private void ReleaseSockets(Predicate<CandidatePair> isKept) => events.Add(new SocketsReleased(
        [.. _pairs.All.Where(pair => IsOnFurtherSocket(pair) && isKept(pair)).Select(pair => pair.Address.Local).Distinct()]));

    private static bool IsOnFurtherSocket(CandidatePair pair) => pair.Address is { Kind: PathKind.Direct, Local.Index: not 0 };
}
