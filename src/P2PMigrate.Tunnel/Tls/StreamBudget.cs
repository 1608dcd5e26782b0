namespace P2PMigrate.Tunnel.Tls;

/// <summary>
/// Bytes that may wait for all connections of one program together, in both directions. Each has <paramref name="floor"/> bytes of its own, which do not
/// count, so that however many there are, one that takes everything at once finds room. Beyond that each may have as much as nobody has at that
/// moment: the more is taken, the less one may have, so that those that are slow are cut first. Any thread.
/// </summary>
// spec: RLY-33
internal sealed class StreamBudget(long capacity, int floor)
{
    private long _taken;

    /// <summary>Bytes that nobody has.</summary>
    public long Free => capacity - Interlocked.Read(ref _taken);

    /// <summary>The share of one connection, which ends with it.</summary>
    public Share Open() => new(this, floor);

    /// <summary>What one connection has of the budget. Any thread.</summary>
    internal sealed class Share(StreamBudget budget, int floor)
    {
        private readonly Lock _lock = new();
        private long _bytes;
        private bool _isClosed;

        /// <summary>May it have that many more?</summary>
        public bool HasRoom(long more)
        {
            long beyond = Beyond(Interlocked.Read(ref _bytes) + more);
            return beyond == 0 || beyond <= budget.Free;
        }

        /// <summary>May it take in a piece that it cannot know the size of? Whoever does not have what is his own may, up to <paramref name="most"/>.</summary>
        public bool HasRoomToRead(int most) => Interlocked.Read(ref _bytes) < floor || HasRoom(most);

        /// <summary>It has that many more, or less when negative.</summary>
        public void Add(long bytes)
        {
            lock (_lock)
            {
                if (_isClosed)
                    return;
                Interlocked.Add(ref budget._taken, Beyond(_bytes + bytes) - Beyond(_bytes));
                _bytes += bytes;
            }
        }

        /// <summary>Gives everything back; the connection is over, whoever still counts.</summary>
        public void Close()
        {
            lock (_lock)
            {
                if (!_isClosed)
                    Interlocked.Add(ref budget._taken, -Beyond(_bytes));
                (_isClosed, _bytes) = (true, 0);
            }
        }

        private long Beyond(long bytes) => Math.Max(0, bytes - floor);
    }
}
