using System.Collections.Concurrent;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>
/// A socket to which others seem to be elsewhere than they are. What is sent to anybody who was not renamed is noted and goes nowhere. It
/// owns <paramref name="inner"/>.
/// </summary>
internal sealed class RenamingSocket(IDatagramSocket inner) : IDatagramSocket
{
    private readonly ReceiveBatch _received = new();
    private readonly TransmitBatch _sent = new();
    private readonly ConcurrentDictionary<NetworkAddress, NetworkAddress> _names = [];
    private readonly ConcurrentDictionary<NetworkAddress, NetworkAddress> _places = [];
    private readonly ConcurrentDictionary<NetworkAddress, bool> _astray = [];

    /// <summary>Where something was sent and nobody is. Any thread.</summary>
    public ICollection<NetworkAddress> Astray => _astray.Keys;

    public NetworkAddress Local => inner.Local;

    public SiblingSockets? Siblings => null;

    /// <summary>Whoever is at <paramref name="place"/> seems to be at <paramref name="name"/>. Any thread.</summary>
    public void Rename(NetworkAddress place, NetworkAddress name) => (_names[place], _places[name]) = (name, place);

    public bool Reaches(NetworkAddress remote) => inner.Reaches(remote);

    public bool Receive(ReceiveBatch batch)
    {
        bool isMore = inner.Receive(_received);
        batch.Clear();
        for (int index = 0; index < _received.Count; index++)
        {
            DatagramTrain train = _received[index];
            train.Bytes.CopyTo(batch.Slot(index));
            batch.Add(index, train.Bytes.Length, train.DatagramSize, _names.GetValueOrDefault(train.Remote, train.Remote));
        }

        return isMore;
    }

    public int Send(TransmitBatch batch)
    {
        _sent.Clear();
        for (int index = 0; index < batch.Count; index++)
        {
            NetworkAddress remote = batch[index].Remote;
            if (!_places.TryGetValue(remote, out NetworkAddress place))
            {
                _astray[remote] = true;
                continue;
            }

            foreach (ReadOnlySpan<byte> datagram in batch[index])
                SendOne(place, datagram);
        }

        return inner.Send(_sent);
    }

    public void Wait(TimeSpan timeout) => inner.Wait(timeout);

    public void Wake() => inner.Wake();

    public void Dispose() => inner.Dispose();

    private void SendOne(NetworkAddress place, ReadOnlySpan<byte> datagram)
    {
        if (_sent.IsFull)
        {
            inner.Send(_sent);
            _sent.Clear();
        }

        datagram.CopyTo(_sent.Free);
        _sent.Add(datagram.Length, place);
    }
}
