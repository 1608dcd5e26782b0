using System.Net;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Migration;

/// <summary>How the peer of a job is met again, when its session is gone: by its key, and where it may be.</summary>
/// <param name="Key">The peer's public key, proven by the session of the job.</param>
/// <param name="Rendezvous">The server at which it can be asked for, or null.</param>
/// <param name="Addresses">Where else it may be.</param>
// spec: MIG-193
public sealed record PeerContact(PublicIdentity Key, ServerName? Rendezvous = null, IReadOnlyList<IPEndPoint>? Addresses = null);
