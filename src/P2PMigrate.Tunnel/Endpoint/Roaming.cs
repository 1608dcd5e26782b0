using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Nat;
using P2PMigrate.Tunnel.Network;
using P2PMigrate.Tunnel.Paths;
using P2PMigrate.Tunnel.Sessions;
using P2PMigrate.Tunnel.Turn;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>
/// What an endpoint does when it is somewhere else: when the machine's network changed, everything is gathered, registered and
/// probed again at once; when only its outside address may have, the servers are asked for it. Loop only.
/// </summary>
// spec: PATH-36
internal sealed class Roaming(NetworkChanges changes, OwnCandidates own, SessionTable sessions, SessionFactory factory, Meeting meeting, NatWatch nat, TurnLink? turn = null)
{
    /// <summary>When <see cref="HandleTimeout"/> has something to do.</summary>
    public Instant NextTimeout => changes.NextTimeout;

    /// <summary>Answers to a change of the network, if there was one.</summary>
    public void HandleTimeout(Instant now)
    {
        if (changes.TryTake(now))
            HandleNetworkChange(now);
    }

    /// <summary>Asks what the sessions have learned about this peer's address.</summary>
    public void CollectNews(Instant now)
    {
        foreach (SessionDriver session in sessions.All)
        {
            if (session.TryTakeSilence())
                HandleSilence(now, session);
            if (!session.TryTakeAddressNews(out NetworkAddress observed))
                continue;
            if (observed.IsNone)
                meeting.HandleDoubt(now);
            else
                meeting.HandleObserved(now, observed);
        }
    }

    // spec: PATH-80, TURN-08
    private void HandleSilence(Instant now, SessionDriver session)
    {
        meeting.HandleSilence(now, session);
        turn?.Recheck(now);
    }

    private void HandleNetworkChange(Instant now)
    {
        turn?.Recheck(now);
        IReadOnlyList<Candidate> news = own.LookAgain(now);
        meeting.Renew(now);
        nat.HandleNetworkChange(now);
        foreach (SessionDriver session in sessions.All)
            session.HandleNetworkChange(now, factory.Sockets, news);
    }
}
