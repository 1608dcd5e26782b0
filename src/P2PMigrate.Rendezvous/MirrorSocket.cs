using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous;

/// <summary>
/// One of the server's other sockets, with a thread of its own: it tells who says hello at which address it sees him, and sends what the
/// main one wants sent from here. Any thread may <see cref="Send"/>.
/// </summary>
// spec: RDV-22, RDV-23
internal sealed class MirrorSocket : IDatagramOwner
{
    /// <summary>Datagrams that wait to be sent; further ones are dropped.</summary>
    // spec: CONST-223
    public const int MaxWaiting = 256;

    private readonly DatagramLoop _loop;
    private readonly ILogger _logger;
    private readonly DatagramRing _waiting = new(MaxWaiting);
    private int _posted;

    /// <summary>Will serve <paramref name="socket"/>.</summary>
    public MirrorSocket(IDatagramSocket socket, LoopClock clock, ILogger logger)
    {
        Local = socket.Local;
        _loop = new DatagramLoop(socket, clock);
        _logger = logger;
    }

    /// <summary>Where it is bound.</summary>
    public NetworkAddress Local { get; }

    /// <summary>Completes when its thread has ended.</summary>
    public Task Ended => _loop.Ended;

    /// <inheritdoc/>
    public Instant NextTimeout => Instant.Never;

    /// <inheritdoc/>
    public bool HasRoom => _waiting.FreeSlots >= TransmitBatch.MaxTrainDatagrams;

    /// <summary>Takes the socket over and serves it. Once.</summary>
    public void Start() => _loop.Start(this, $"mirror:{Local.Port}");

    /// <summary>From any thread: sends a datagram from here; drops it when too many wait.</summary>
    public void Send(NetworkAddress destination, ReadOnlySpan<byte> datagram)
    {
        if (Interlocked.Increment(ref _posted) > MaxWaiting)
            Interlocked.Decrement(ref _posted);
        else
            _loop.Post(new Sending(this, destination, datagram.ToArray()));
    }

    /// <summary>Ends the thread.</summary>
    public void Stop() => _loop.Stop();

    /// <inheritdoc/>
    public void HandleTrain(Instant now, DatagramTrain train)
    {
        foreach (ReadOnlySpan<byte> datagram in train)
        {
            if (!_waiting.IsFull && RendezvousMirror.TryAnswer(train.Remote, datagram, _waiting.Free, out int length, out _))
                _waiting.Add(length, train.Remote);
        }
    }

    /// <inheritdoc/>
    public void HandleTimeout(Instant now)
    {
        // It remembers nothing, so nothing is ever due.
    }

    /// <inheritdoc/>
    public void DeliverEvents(Instant now)
    {
        // Nobody waits for news of it.
    }

    /// <inheritdoc/>
    public void FillTransmits(Instant now, TransmitBatch batch) => _waiting.MoveTo(batch);

    /// <inheritdoc/>
    public void HandleTooLong(Instant now, NetworkAddress remote, int size)
    {
        // Its datagrams are shorter than any interface's limit.
    }

    /// <inheritdoc/>
    public void HandleStopped(Exception? error)
    {
        // The clients notice by silence, and know less of their NATs; the server goes on without.
        if (error is not null)
            Log.MirrorFailed(_logger, Local, error);
    }

    /// <summary>A datagram from another thread.</summary>
    private sealed class Sending(MirrorSocket mirror, NetworkAddress destination, byte[] datagram) : IWish
    {
        public void Fulfil(Instant now)
        {
            Interlocked.Decrement(ref mirror._posted);
            if (mirror._waiting.IsFull)
                return;
            datagram.CopyTo(mirror._waiting.Free);
            mirror._waiting.Add(datagram.Length, destination);
        }

        public void Refuse()
        {
            // The socket is closed; the datagram is lost like any other.
        }
    }
}
