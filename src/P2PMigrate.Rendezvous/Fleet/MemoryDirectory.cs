using P2PMigrate.Protocol.Rendezvous;

namespace P2PMigrate.Rendezvous.Fleet;

/// <summary>A directory in memory, for the servers of one process. Any thread.</summary>
internal sealed class MemoryDirectory(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<FleetKey, (ServerId Server, DateTimeOffset Until)> _entries = [];
    private readonly Dictionary<ServerId, IDirectoryListener> _servers = [];

    /// <summary>The directory as another server sees it.</summary>
    public IServerDirectory Open() => new View(this);

    private ServerId? Find(FleetKey key)
    {
        lock (_lock)
        {
            return _entries.TryGetValue(key, out (ServerId Server, DateTimeOffset Until) entry) && time.GetUtcNow() < entry.Until ? entry.Server : null;
        }
    }

    private bool TryCarry(ServerId server, ReadOnlyMemory<byte> message)
    {
        IDirectoryListener? listener;
        lock (_lock)
            _servers.TryGetValue(server, out listener);
        listener?.Received(message);
        return listener is not null;
    }

    private sealed class View(MemoryDirectory directory) : IServerDirectory
    {
        private ServerId _self;

        public Task JoinAsync(ServerId self, IDirectoryListener listener, CancellationToken cancellationToken)
        {
            _self = self;
            lock (directory._lock)
                directory._servers[self] = listener;
            return Task.CompletedTask;
        }

        public void Announce(FleetKey key, TimeSpan lifetime)
        {
            lock (directory._lock)
                directory._entries[key] = (_self, directory.TimeAfter(lifetime));
        }

        public void Withdraw(FleetKey key)
        {
            lock (directory._lock)
            {
                if (directory._entries.TryGetValue(key, out (ServerId Server, DateTimeOffset Until) entry) && entry.Server == _self)
                    directory._entries.Remove(key);
            }
        }

        public void TellHolder(FleetKey key, ReadOnlyMemory<byte> message, Action<FleetOutcome> done) =>
            done(directory.Find(key) is { } server && directory.TryCarry(server, message) ? FleetOutcome.Taken : FleetOutcome.Unknown);

        public void Tell(ServerId server, ReadOnlyMemory<byte> message) => directory.TryCarry(server, message);

        public ValueTask DisposeAsync()
        {
            lock (directory._lock)
                directory._servers.Remove(_self);
            return ValueTask.CompletedTask;
        }
    }

    private DateTimeOffset TimeAfter(TimeSpan lifetime) => time.GetUtcNow() + lifetime;
}
