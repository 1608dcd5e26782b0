using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// Which addresses a server may name to a peer. What it names may be punched, and an address of a private network is another host's wherever the
/// peer is: nobody is to be made to knock at his neighbours.
/// </summary>
/// <remarks>spec: RDV-50.</remarks>
public static class Vouching
{
    /// <summary>
    /// What a server says of <paramref name="other"/> to a peer that it sees at <paramref name="receiver"/>: the address itself, or when
    /// that is less public than the receiver's, a name for it to which nobody can send.
    /// </summary>
    public static NetworkAddress Named(NetworkAddress other, NetworkAddress receiver) =>
        other.IsStream || ReachOf(other) <= ReachOf(receiver) ? other : NetworkAddress.ForStream(other, other.Port);

    /// <summary>May a client that reaches its server at <paramref name="server"/> believe that a peer is at <paramref name="address"/>?</summary>
    public static bool IsBelievable(NetworkAddress server, NetworkAddress address) =>
        !address.IsStream && ReachOf(address) <= ReachOf(server);

    // A stream comes from a host; which of its ports does not matter here.
    private static ExternalReach ReachOf(NetworkAddress address) => ExternalReaches.Of(address.ToNetwork().WithPort(1));
}
