using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>
/// Datagrams of one size, the last one perhaps shorter, to or from one remote, that the machine takes or gives as one
/// piece. Mostly a train of one. The bytes are its batch's; enumerating gives the datagrams.
/// </summary>
internal readonly ref struct DatagramTrain(NetworkAddress remote, ReadOnlySpan<byte> bytes, int datagramSize)
{
    /// <summary>Where the datagrams come from or go to.</summary>
    public NetworkAddress Remote { get; } = remote;

    /// <summary>All datagrams, one behind the other.</summary>
    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    /// <summary>Bytes of each datagram but the last.</summary>
    public int DatagramSize { get; } = datagramSize;

    /// <summary>How many datagrams there are.</summary>
    public int Count => (Bytes.Length + DatagramSize - 1) / DatagramSize;

    /// <summary>The datagrams in their order.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Walks the datagrams.</summary>
    public ref struct Enumerator(DatagramTrain train)
    {
        private readonly int _size = train.DatagramSize;
        private ReadOnlySpan<byte> _rest = train.Bytes;

        /// <summary>The datagram at which the enumerator stands.</summary>
        public ReadOnlySpan<byte> Current { get; private set; }

        /// <summary>Moves to the next datagram.</summary>
        public bool MoveNext()
        {
            if (_rest.IsEmpty)
                return false;
            int length = Math.Min(_size, _rest.Length);
            Current = _rest[..length];
            _rest = _rest[length..];
            return true;
        }
    }
}
