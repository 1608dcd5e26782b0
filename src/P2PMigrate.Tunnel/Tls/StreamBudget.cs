namespace P2PMigrate.Tunnel.Tls;

/// <summary>
/// Bytes that may wait for all connections of one program together, in both directions. Each may have as much as nobody has at that moment: the more is
/// taken, the less one may have, so that those that are slow are cut first, and one that takes everything at once always finds room. Any thread.
/// </summary>
// spec: RLY-33
internal sealed class StreamBudget(long capacity)
{
    private long _taken;

    /// <summary>Bytes that nobody has.</summary>
    public long Free => capacity - Interlocked.Read(ref _taken);

    /// <summary>The share of one connection, which ends with it.</summary>
    public Share Open() => new(this);

    /// <summary>What one connection has of the budget. Any thread.</summary>
    internal sealed class Share(StreamBudget budget)
    {
        private readonly Lock _lock = new();
        private long _bytes;
        private bool _isClosed;

        /// <summary>May it have that many more?</summary>
        public bool HasRoom(long more) => Interlocked.Read(ref _bytes) + more <= budget.Free;

        /// <summary>It has that many more, or less when negative.</summary>
        public void Add(long bytes)
        {
            lock (_lock)
            {
                if (_isClosed)
                    return;
                _bytes += bytes;
                Interlocked.Add(ref budget._taken, bytes);
            }
        }

        /// <summary>Gives everything back; the connection is over, whoever still counts.</summary>
        public void Close()
        {
            lock (_lock)
            {
                if (!_isClosed)
                    Interlocked.Add(ref budget._taken, -_bytes);
                (_isClosed, _bytes) = (true, 0);
            }
        }
    }
}
