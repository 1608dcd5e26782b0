using P2PMigrate.Migration;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.State;

/// <summary>
/// The places of peers, kept between the stages that are typed at different times: of each peer the ticket by which its place was last named, and the directory that this peer keeps for others. Everywhere else, in journals
/// and in what is printed, a peer's place is called by the peer's id, for a ticket is a secret.
/// </summary>
// spec: DEP-55
internal sealed class KnownPlaces(StateDirectory state)
{
    private string OwnPath => Path.Combine(state.Places, "here");

    /// <summary>From now on the place of the ticket's issuer is reached by this ticket.</summary>
    public void Keep(Ticket ticket) => SecretFile.Replace(PathOf(ticket.Responder.PeerId), ticket.Format());

    /// <summary>The ticket that was kept last; null when there is none that can be read.</summary>
    public Ticket? TryFind(PeerId peer) =>
        TryRead(PathOf(peer)) is { } text && Ticket.TryParse(text, out Ticket? ticket, out _) && ticket.Responder.PeerId == peer ? ticket : null;

    /// <summary>From now on this peer's own place is this directory.</summary>
    public void KeepOwn(string directory) => SecretFile.Replace(OwnPath, directory);

    /// <summary>The directory that this peer keeps for others; null when it never did.</summary>
    public string? TryFindOwn() => TryRead(OwnPath);

    private string PathOf(PeerId peer) => Path.Combine(state.Places, peer.ToString());

    private static string? TryRead(string path) => File.Exists(path) ? File.ReadAllText(path) : null;
}
