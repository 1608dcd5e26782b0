using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Rendezvous.Fleet;

/// <summary>
/// Where the servers of a fleet find each other's peers, as one of them sees it: entries from peer ids to servers, and messages
/// to servers. Once joined, nothing here blocks or throws; what cannot be done now is dropped. Any thread.
/// </summary>
/// <remarks>spec: RDV-40, RDV-41, RDV-42.</remarks>
internal interface IServerDirectory : IAsyncDisposable
{
    /// <summary>Begins to take messages for <paramref name="self"/>. Once, before anything else. Throws <see cref="TunnelException"/> when it cannot be joined.</summary>
    Task JoinAsync(ServerId self, IDirectoryListener listener, CancellationToken cancellationToken);

    /// <summary>That peer is at this server, for so long; any entry of another server is replaced.</summary>
    void Announce(PeerId peer, TimeSpan lifetime);

    /// <summary>That peer is not at this server any more; an entry of another server stays.</summary>
    void Withdraw(PeerId peer);

    /// <summary>Carries a message to the server of that peer, and says what became of it, once, on any thread.</summary>
    void TellServerOf(PeerId peer, ReadOnlyMemory<byte> message, Action<FleetOutcome> done);

    /// <summary>Carries a message to that server, if it is there.</summary>
    void Tell(ServerId server, ReadOnlyMemory<byte> message);
}

/// <summary>What a directory has to say to the server that joined it. Any thread.</summary>
internal interface IDirectoryListener
{
    /// <summary>A message came; the bytes are the listener's.</summary>
    void Received(ReadOnlyMemory<byte> message);

    /// <summary>The directory was away, or lost requests, and is back: the entries of this server may be gone.</summary>
    void Restored();
}
