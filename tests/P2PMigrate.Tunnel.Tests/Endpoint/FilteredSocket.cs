using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>A socket behind a firewall that tests may change while it is used. It owns <paramref name="inner"/>.</summary>
internal sealed class FilteredSocket(IDatagramSocket inner) : IDatagramSocket
{
    private readonly DatagramBatch _passed = new();
    private volatile Func<NetworkAddress, bool> _passes = static _ => true;

    /// <summary>Which remotes datagrams may come from and go to. Any thread.</summary>
    public Func<NetworkAddress, bool> Passes
    {
        get => _passes;
        set => _passes = value;
    }

    public NetworkAddress Local => inner.Local;

    public bool Reaches(NetworkAddress remote) => inner.Reaches(remote);

    public int Receive(DatagramBatch batch)
    {
        int count = inner.Receive(_passed);
        batch.Clear();
        Copy(_passed, batch);
        return count == DatagramBatch.Capacity ? count : batch.Count;
    }

    public int Send(DatagramBatch batch)
    {
        _passed.Clear();
        Copy(batch, _passed);
        return _passed.Count == 0 ? 0 : inner.Send(_passed);
    }

    public void Wait(TimeSpan timeout) => inner.Wait(timeout);

    public void Wake() => inner.Wake();

    public void Dispose() => inner.Dispose();

    private void Copy(DatagramBatch from, DatagramBatch to)
    {
        for (int i = 0; i < from.Count; i++)
        {
            if (!_passes(from.Remote(i)))
                continue;
            from[i].CopyTo(to.Free);
            to.Add(from[i].Length, from.Remote(i));
        }
    }
}
