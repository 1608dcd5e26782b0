using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>A socket that watches the thread which serves it. It owns <paramref name="inner"/>.</summary>
internal sealed class MeteredSocket(IDatagramSocket inner) : IDatagramSocket
{
    private long _allocated;

    /// <summary>Bytes that the thread has allocated up to its last call. Any thread.</summary>
    public long Allocated => Volatile.Read(ref _allocated);

    public NetworkAddress Local => inner.Local;

    public SiblingSockets? Siblings => inner.Siblings;

    public bool Reaches(NetworkAddress remote) => inner.Reaches(remote);

    public bool Receive(ReceiveBatch batch)
    {
        Volatile.Write(ref _allocated, GC.GetAllocatedBytesForCurrentThread());
        return inner.Receive(batch);
    }

    public int Send(TransmitBatch batch) => inner.Send(batch);

    public void Wait(TimeSpan timeout) => inner.Wait(timeout);

    public void Wake() => inner.Wake();

    public void Dispose() => inner.Dispose();
}
