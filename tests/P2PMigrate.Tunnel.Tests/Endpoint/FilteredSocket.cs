using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>A socket behind a firewall that tests may change while it is used. It owns <paramref name="inner"/>.</summary>
internal sealed class FilteredSocket(IDatagramSocket inner) : IDatagramSocket
{
    private readonly ReceiveBatch _received = new();
    private readonly TransmitBatch _passed = new();
    private volatile Func<NetworkAddress, bool> _passes = static _ => true;

    /// <summary>Which remotes datagrams may come from and go to. Any thread.</summary>
    public Func<NetworkAddress, bool> Passes
    {
        get => _passes;
        set => _passes = value;
    }

    public NetworkAddress Local => inner.Local;

    public SiblingSockets? Siblings => inner.Siblings;

    public bool Reaches(NetworkAddress remote) => inner.Reaches(remote);

    public bool Receive(ReceiveBatch batch)
    {
        bool more = inner.Receive(_received);
        batch.Clear();
        for (int i = 0; i < _received.Count; i++)
        {
            DatagramTrain train = _received[i];
            if (!_passes(train.Remote))
                continue;
            train.Bytes.CopyTo(batch.Slot(i));
            batch.Add(i, train.Bytes.Length, train.DatagramSize, train.Remote);
        }

        return more;
    }

    public int Send(TransmitBatch batch)
    {
        _passed.Clear();
        for (int i = 0; i < batch.Count; i++)
        {
            DatagramTrain train = batch[i];
            if (!_passes(train.Remote))
                continue;
            train.Bytes.CopyTo(_passed.Free);
            _passed.Add(train.Bytes.Length, train.DatagramSize, train.Remote);
        }

        return _passed.Count == 0 ? 0 : inner.Send(_passed);
    }

    public void Wait(TimeSpan timeout) => inner.Wait(timeout);

    public void Wake() => inner.Wake();

    public void Dispose() => inner.Dispose();
}
