using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Punching;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Paths;

/// <content>
/// A mapping can be spoilt: by a packet that came too early and that a router took for its own, or holds against its sender, or by an
/// older connection. Another socket gets another mapping.
/// </content>
internal sealed partial class PathAgent
{
    // Between two fixed NATs nothing is punched, so that no attempt uses this number.
    private static readonly LocalInterface s_freshSocket = LocalInterface.Socket(1);

    private readonly FreshSocketTimetable _fresh = new();

    /// <summary>
    /// A server sees the socket that was asked for by <see cref="FreshSocketWanted"/> at an address: the peer was told, and is probed from there.
    /// </summary>
    // spec: PATH-82
    public void AddFreshSocket(Instant now, LocalInterface socket)
    {
        if (!_fresh.IsOpen || socket != s_freshSocket || !_upgrades.IsRunning)
            return;
        foreach (NetworkAddress remote in AnnouncedAddresses())
        {
            if (FindOrAdd(now, new(socket, remote)) is { } pair)
                pair.IsAnnounced = true;
        }
    }

    private void TryAnotherSocket(Instant now)
    {
        _fresh.End();
        bool areBothFixed = LocalNat.Mapping == NatMapping.EndpointIndependent && RemoteNat.Mapping == NatMapping.EndpointIndependent;
        if (!_upgrades.IsRunning || options.Punching is null || !areBothFixed || AnnouncedAddresses().Count == 0)
            return;
        if (_fresh.IsOpen)
            ForgetSockets(now, _ => false);
        _fresh.IsOpen = true;
        events.Add(new FreshSocketWanted(s_freshSocket));
    }

    private List<NetworkAddress> AnnouncedAddresses() =>
        [.. _pairs.All.Where(pair => pair is { IsAnnounced: true, Address.Kind: PathKind.Direct }).Select(pair => pair.Address.Remote).Distinct()];

    // The peer hears of the new address by the relay. Until it has sent there, its own router may be one that takes in what comes unasked.
    // spec: PATH-82
    private byte HopLimitOf(Instant now, CandidatePair pair) =>
        pair.Address.Local == s_freshSocket && _fresh.IsOpen && pair is { State: PairState.Probing, IsAnnounced: true } && !(pair.LastHeardAt >= pair.ProbingSince)
            && now - pair.ProbingSince < ShortOpeners.PatienceWithRelay
            ? ShortOpeners.Shortest
            : _openers.LimitOf(now, pair, hasRelay: Primary is { Address.Kind: PathKind.Relay });
}
