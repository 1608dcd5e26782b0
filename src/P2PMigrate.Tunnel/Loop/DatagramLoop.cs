using System.Collections.Concurrent;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Loop;

/// <summary>
/// The one thread of a socket. In this order, for ever: fulfil wishes, receive, run timers, deliver events, send, sleep
/// until the next deadline, datagram or wish. Other threads only <see cref="Post"/>. The socket is its own: it is disposed
/// when the thread ends.
/// </summary>
internal sealed class DatagramLoop
{
    /// <summary>
    /// Bytes received before what they call for is sent: a peer that waits for acknowledgements of all that it may have in flight
    /// shall get the first of them while this end is at work on the rest, or one of the two always sleeps.
    /// </summary>
    // spec: CONST-153
    private const int AnswerAfter = 128 << 10;

    /// <summary>Batches sent to make room in the owner, or at the end.</summary>
    private const int BatchesAtOnce = 4;

    /// <summary>Longest sleep: bounds the harm of a clock that jumped.</summary>
    private static readonly TimeSpan s_longestSleep = TimeSpan.FromSeconds(1);

    private readonly IDatagramSocket _socket;
    private readonly LoopClock _clock;
    private readonly ConcurrentQueue<IWish> _wishes = new();
    private readonly ReceiveBatch _received = new();
    private readonly TransmitBatch _transmits = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IDatagramOwner? _owner;
    private int _sleeping;
    private volatile bool _stopping;
    private volatile bool _hasEnded;

    /// <summary>Takes over <paramref name="socket"/>; <see cref="Start"/> begins.</summary>
    public DatagramLoop(IDatagramSocket socket, LoopClock clock)
    {
        _socket = socket;
        _clock = clock;
    }

    /// <summary>Completes, never faults, when the thread has ended and the socket is closed.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Where the socket is bound.</summary>
    public NetworkAddress Local => _socket.Local;

    /// <summary>Starts the thread. Once.</summary>
    public void Start(IDatagramOwner owner, string name)
    {
        _owner = owner;
        new Thread(Run) { IsBackground = true, Name = name }.Start();
    }

    /// <summary>
    /// From any thread: <paramref name="wish"/> is fulfilled soon, after those posted before, or refused when the loop has
    /// ended. Each poster bounds what it has in the queue (a stream is in it at most once).
    /// </summary>
    public void Post(IWish wish)
    {
        _wishes.Enqueue(wish);
        Interlocked.MemoryBarrier(); // Enqueue first, look second; the loop's end does it the other way round.
        if (_hasEnded)
            RefuseWishes();
        else
            WakeIfAsleep();
    }

    /// <summary>From any thread: runs <paramref name="work"/> on the loop. Faults with <see cref="TunnelException"/> when the loop has ended.</summary>
    public Task<T> CallAsync<T>(Func<Instant, T> work)
    {
        var call = new LoopCall<T>(work);
        Post(call);
        return call.Result;
    }

    /// <summary>From any thread: ends the loop after the wishes posted before.</summary>
    public void Stop()
    {
        _stopping = true;
        WakeIfAsleep();
    }

    private void WakeIfAsleep()
    {
        if (Interlocked.CompareExchange(ref _sleeping, 0, 1) == 1)
            _socket.Wake();
    }

    private void Run()
    {
        Exception? error = null;
        try
        {
            while (!_stopping)
            {
                if (!Turn())
                    Sleep();
            }

            FulfilWishes(_clock.Now);
            SendAll(_clock.Now);
        }
#pragma warning disable CA1031 // A fault of ours ends this endpoint with a reason, not the process with a stack trace.
        catch (Exception unexpected)
#pragma warning restore CA1031
        {
            error = unexpected;
        }

        try
        {
            _owner!.HandleStopped(error);
            _socket.Dispose();
        }
        finally
        {
            // Whoever posts after this line refuses its wish itself; whoever posted before is refused here.
            _hasEnded = true;
            Interlocked.MemoryBarrier();
            RefuseWishes();
            _ended.SetResult();
        }
    }

    /// <summary>One round of everything; true when there may be more to do at once.</summary>
    private bool Turn()
    {
        FulfilWishes(_clock.Now);
        bool more = ReceiveAll() | ReceiveFromSiblings();
        Instant now = _clock.Now;
        _owner!.HandleTimeout(now);
        _owner.DeliverEvents(now);
        return SendNext(now) || more;
    }

    private void FulfilWishes(Instant now)
    {
        for (int left = _wishes.Count; left > 0 && _wishes.TryDequeue(out IWish? wish); left--)
            wish.Fulfil(now);
    }

    private void RefuseWishes()
    {
        while (_wishes.TryDequeue(out IWish? wish))
            wish.Refuse();
    }

    private bool ReceiveAll()
    {
        bool more = _socket.Receive(_received);
        Instant now = _clock.Now;
        int unanswered = 0;
        for (int i = 0; i < _received.Count; i++)
        {
            if (unanswered >= AnswerAfter)
            {
                now = _clock.Now;
                SendNext(now);
                unanswered = 0;
            }

            if (!_owner!.HasRoom)
                SendAll(now);
            DatagramTrain train = _received[i];
            unanswered += train.Bytes.Length;
            _owner.HandleTrain(now, train);
        }

        return more;
    }

    private bool ReceiveFromSiblings()
    {
        if (_socket.Siblings is not { Count: > 0 } siblings)
            return false;
        bool more = false;
        foreach (SiblingSocket sibling in siblings.FindReady())
        {
            more |= sibling.Receive(_received);
            Instant now = _clock.Now;
            for (int i = 0; i < _received.Count; i++)
                sibling.Owner.HandleTrain(now, sibling.Number, _received[i]);
        }

        return more;
    }

    private void SendAll(Instant now)
    {
        for (int left = BatchesAtOnce; left > 0 && SendNext(now); left--)
        {
        }
    }

    /// <summary>Sends a batch; true when there may be more.</summary>
    private bool SendNext(Instant now)
    {
        _transmits.Clear();
        _owner!.FillTransmits(now, _transmits);
        bool isFull = _transmits.IsFull; // The socket may take some out.
        if (_transmits.Count > 0)
            _socket.Send(_transmits);
        foreach ((NetworkAddress remote, int size) in _transmits.TooLong)
            _owner.HandleTooLong(now, remote, size);
        return isFull;
    }

    private void Sleep()
    {
        // Announce the sleep first, look at the queue second: a poster does it the other way round, so none is missed.
        Interlocked.Exchange(ref _sleeping, 1);
        if (_wishes.IsEmpty && !_stopping)
        {
            TimeSpan left = _owner!.NextTimeout - _clock.Now;
            if (left > TimeSpan.Zero)
                _socket.Wait(left < s_longestSleep ? left : s_longestSleep);
        }

        Volatile.Write(ref _sleeping, 0);
    }
}
