using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Rendezvous.Fleet;

/// <summary>
/// Where the servers of a fleet find each other's peers and channels, as one of them sees it: entries from keys to servers, and messages
/// to servers. Once joined, nothing here blocks or throws; what cannot be done now is dropped. Any thread.
/// </summary>
/// <remarks>spec: RDV-40, RDV-41, RDV-42.</remarks>
internal interface IServerDirectory : IAsyncDisposable
{
    /// <summary>Begins to take messages for <paramref name="self"/>. Once, before anything else. Throws <see cref="TunnelException"/> when it cannot be joined.</summary>
    Task JoinAsync(ServerId self, IDirectoryListener listener, CancellationToken cancellationToken);

    /// <summary>What that key names is at this server, for so long; any entry of another server is replaced.</summary>
    void Announce(FleetKey key, TimeSpan lifetime);

    /// <summary>It is not at this server any more; an entry of another server stays.</summary>
    void Withdraw(FleetKey key);

    /// <summary>Carries a message to the server that has it, and says what became of it, once, on any thread.</summary>
    void TellHolder(FleetKey key, ReadOnlyMemory<byte> message, Action<FleetOutcome> done);

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
