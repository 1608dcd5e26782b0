using System.Collections.Concurrent;
using System.Diagnostics;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Tls;

namespace P2PMigrate.Tunnel.Sockets;

/// <summary>
/// A UDP socket and any number of connections that carry datagrams too. Each connection has an address (<see cref="NetworkAddress.IsStream"/>),
/// so that whoever uses the socket need not tell them apart. Owns both; a connection leaves when it ends.
/// </summary>
// spec: RLY-13
internal sealed class SocketWithStreams(IDatagramSocket inner) : IDatagramSocket
{
    private readonly ConcurrentDictionary<NetworkAddress, DatagramStream> _streams = new();
    private readonly ConcurrentQueue<DatagramStream> _readable = new();
    private readonly bool _mayBeForged = inner.Local.Family != IpFamily.V4;
    private volatile bool _hadStreams;
    private bool _isTurnOfStreams;
    private volatile bool _isDisposed;

    /// <inheritdoc/>
    public NetworkAddress Local => inner.Local;

    /// <inheritdoc/>
    public SiblingSockets? Siblings => inner.Siblings;

    /// <summary>The connections that are there.</summary>
    public IEnumerable<DatagramStream> Streams => _streams.Values;

    /// <summary>From any thread: <paramref name="stream"/> belongs to the socket from now on. False, and it ends, when its address is taken.</summary>
    public bool TryAdd(DatagramStream stream)
    {
        _hadStreams = true; // From now on there are such addresses.
        bool isAdded = _streams.TryAdd(stream.Address, stream);
        stream.Start(NoteReadable);
        if (!isAdded || _isDisposed)
            stream.Dispose();
        _ = ForgetAsync(stream, isAdded);
        return isAdded;
    }

    /// <inheritdoc/>
    public bool Reaches(NetworkAddress remote) => remote.IsStream ? _streams.ContainsKey(remote) : inner.Reaches(remote);

    /// <inheritdoc/>
    public bool Receive(ReceiveBatch batch)
    {
        _isTurnOfStreams = !_isTurnOfStreams;
        if (_isTurnOfStreams && !_readable.IsEmpty)
        {
            ReceiveFromStreams(batch);
            return true;
        }

        bool more = inner.Receive(batch);
        if (_mayBeForged)
            batch.Remove(static remote => remote.IsStream); // Nobody on the network has such an address.
        return more || !_readable.IsEmpty;
    }

    /// <inheritdoc/>
    public int Send(TransmitBatch batch)
    {
        if (!_hadStreams)
            return inner.Send(batch);
        int taken = 0;
        TimeSpan now = Stopwatch.GetElapsedTime(0);
        for (int i = 0; i < batch.Count; i++)
        {
            DatagramTrain train = batch[i];
            if (!train.Remote.IsStream)
                continue;
            if (train.DatagramSize > Protocol.Rendezvous.StreamedDatagram.MaxLength)
                batch.NoteTooLong(train.Remote, train.DatagramSize);
            else if (_streams.TryGetValue(train.Remote, out DatagramStream? stream))
                taken += stream.Send(now, train);
        }

        batch.Remove(static remote => remote.IsStream);
        return batch.Count == 0 ? taken : taken + inner.Send(batch);
    }

    /// <inheritdoc/>
    public void Wait(TimeSpan timeout) => inner.Wait(timeout);

    /// <inheritdoc/>
    public void Wake() => inner.Wake();

    /// <inheritdoc/>
    public void Dispose()
    {
        _isDisposed = true;
        foreach (DatagramStream stream in _streams.Values)
            stream.Finish();
        inner.Dispose();
    }

    private void ReceiveFromStreams(ReceiveBatch batch)
    {
        batch.Clear();
        int slot = 0;
        for (int left = _readable.Count; left > 0 && slot < ReceiveBatch.Capacity && _readable.TryDequeue(out DatagramStream? stream); left--)
        {
            stream.ClearNote();
            if (stream.Receive(batch, ref slot))
                stream.Note();
        }
    }

    private void NoteReadable(DatagramStream stream)
    {
        _readable.Enqueue(stream);
        inner.Wake();
    }

    private async Task ForgetAsync(DatagramStream stream, bool isAdded)
    {
        await stream.Ended.ConfigureAwait(false);
        if (isAdded)
            _streams.TryRemove(stream.Address, out _);
    }
}
