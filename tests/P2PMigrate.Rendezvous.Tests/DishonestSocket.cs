using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>The socket of a server whose operator does with what the server says whatever a test wants. It owns <paramref name="inner"/>.</summary>
internal sealed class DishonestSocket(IDatagramSocket inner) : IDatagramSocket
{
    private readonly TransmitBatch _said = new();
    private readonly Lock _lock = new();
    private readonly List<byte[]> _seen = [];
    private volatile Func<NetworkAddress, byte[], IEnumerable<(NetworkAddress To, byte[] Datagram)>> _say = static (to, datagram) => [(to, datagram)];

    /// <summary>What is sent in place of a datagram. Any thread sets it, the server's calls it.</summary>
    public Func<NetworkAddress, byte[], IEnumerable<(NetworkAddress To, byte[] Datagram)>> Say
    {
        get => _say;
        set => _say = value;
    }

    /// <summary>Every datagram that the server got or wanted to send.</summary>
    public IReadOnlyList<byte[]> Seen
    {
        get
        {
            lock (_lock)
                return [.. _seen];
        }
    }

    public NetworkAddress Local => inner.Local;

    public SiblingSockets? Siblings => inner.Siblings;

    public bool Reaches(NetworkAddress remote) => inner.Reaches(remote);

    public bool Receive(ReceiveBatch batch)
    {
        bool more = inner.Receive(batch);
        for (int index = 0; index < batch.Count; index++)
            See(batch[index]);
        return more;
    }

    public int Send(TransmitBatch batch)
    {
        _said.Clear();
        for (int index = 0; index < batch.Count; index++)
        {
            See(batch[index]);
            foreach (ReadOnlySpan<byte> datagram in batch[index])
                SayInstead(batch[index].Remote, datagram.ToArray());
        }

        return inner.Send(_said);
    }

    public void Wait(TimeSpan timeout) => inner.Wait(timeout);

    public void Wake() => inner.Wake();

    public void Dispose() => inner.Dispose();

    private void See(DatagramTrain train)
    {
        lock (_lock)
        {
            foreach (ReadOnlySpan<byte> datagram in train)
                _seen.Add(datagram.ToArray());
        }
    }

    private void SayInstead(NetworkAddress remote, byte[] datagram)
    {
        foreach ((NetworkAddress to, byte[] instead) in _say(remote, datagram))
        {
            if (_said.IsFull)
            {
                inner.Send(_said);
                _said.Clear();
            }

            instead.CopyTo(_said.Free);
            _said.Add(instead.Length, to);
        }
    }
}
