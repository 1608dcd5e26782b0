using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Tls;

/// <summary>
/// A connection that carries datagrams both ways, one behind the other. Two tasks move bytes between it and two pipes; the loop
/// reads one pipe and writes the other, and never waits. What does not fit is dropped, as a link would; what comes faster than
/// the loop reads waits at its sender. Owns <paramref name="stream"/> and the socket below it; what waits counts for <paramref name="budget"/>.
/// </summary>
// spec: RLY-11, RLY-12, RLY-33
internal sealed class DatagramStream(Stream stream, Socket? socket, NetworkAddress address, StreamBudget? budget = null) : IDisposable
{
    /// <summary>Bytes that wait for the loop before the sender has to.</summary>
    private const int MaxUnread = 256 << 10;

    /// <summary>Bytes that the kernel keeps beyond what is on its way, so that the queue is here and not there.</summary>
    private const int MaxUnsent = 128 << 10;

    /// <summary>Bytes that are read at once, and that each connection may have however much others have.</summary>
    // spec: CONST-293
    public const int BlockSize = 32 << 10;

    /// <summary>How long what was given before <see cref="Finish"/> may take.</summary>
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(1);

    /// <summary>Between two questions whether the kernel has room: at first, and at most.</summary>
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(1), s_longestPause = TimeSpan.FromMilliseconds(20);

    private readonly Pipe _received = new(new PipeOptions(
        pauseWriterThreshold: MaxUnread, resumeWriterThreshold: MaxUnread / 2, minimumSegmentSize: BlockSize, useSynchronizationContext: false));

    private readonly Pipe _sending = new(new PipeOptions(
        pauseWriterThreshold: 0, resumeWriterThreshold: 0, minimumSegmentSize: BlockSize, useSynchronizationContext: false));

    private readonly SendBacklog _backlog = new();
    private readonly StreamBudget.Share _share = (budget ?? new StreamBudget(long.MaxValue, BlockSize)).Open();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IPAddress? _local = (socket?.LocalEndPoint as IPEndPoint)?.Address;
    private Action<DatagramStream> _readable = static _ => { };
    private int _isNoted;
    private bool _isFinished;
    private bool _isReadOut;
    private long _heardAt = Stopwatch.GetTimestamp();
    private long _datagrams;

    /// <summary>The name under which the loop sends here and hears from here.</summary>
    public NetworkAddress Address => address;

    /// <summary>Where the other end is; none where the network does not say.</summary>
    public NetworkAddress Remote { get; } = socket?.RemoteEndPoint is IPEndPoint remote ? NetworkAddress.From(remote) : default;

    /// <summary>Has the machine lost the address that this end has? Then nothing will come any more, and nobody will say so.</summary>
    // spec: RLY-17
    public bool IsStranded => _local is not null && !HasAddress(_local);

    /// <summary>Completes, never faults, when the connection is over.</summary>
    public Task Ended => _ended.Task;

    /// <summary>How long no datagram has come. Any thread.</summary>
    public TimeSpan Silence => Stopwatch.GetElapsedTime(Volatile.Read(ref _heardAt));

    /// <summary>Has a datagram come at all? Any thread.</summary>
    public bool HasSpoken => Volatile.Read(ref _datagrams) > 0;

    /// <summary>Begins; <paramref name="readable"/> is told, on any thread, when <see cref="Receive"/> is worth a call.</summary>
    public void Start(Action<DatagramStream> readable)
    {
        _readable = readable;
        _ = RunAsync();
    }

    /// <summary>What was given is sent, then the connection ends. Loop only.</summary>
    public void Finish()
    {
        _isFinished = true;
        _sending.Writer.Complete();
        try
        {
            _stop.CancelAfter(s_farewell);
        }
        catch (ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    /// <summary>Any thread: ends it now.</summary>
    public void Dispose()
    {
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended already.
        }
    }

    /// <summary>The loop is about to read: whoever writes from now on tells it again.</summary>
    public void ClearNote() => Volatile.Write(ref _isNoted, 0);

    /// <summary>Tells once, until <see cref="ClearNote"/>, that there is something to read. Any thread.</summary>
    public void Note()
    {
        if (Interlocked.Exchange(ref _isNoted, 1) == 0)
            _readable(this);
    }

    /// <summary>Moves trains into <paramref name="batch"/> from <paramref name="slot"/> on. True when there is more. Loop only.</summary>
    public bool Receive(ReceiveBatch batch, ref int slot)
    {
        if (_isReadOut || !_received.Reader.TryRead(out ReadResult read))
            return false;
        ReadOnlySequence<byte> rest = read.Buffer;
        Refusal refusal = Refusal.None;
        int first = slot;
        while (slot < ReceiveBatch.Capacity && TryTakeTrain(ref rest, batch.Slot(slot), out int length, out int size, out refusal))
            batch.Add(slot++, length, size, address);
        if (slot > first)
            NoteHeard(slot - first);
        bool hasMore = slot == ReceiveBatch.Capacity && !rest.IsEmpty;
        _share.Add(rest.Length - read.Buffer.Length);
        _received.Reader.AdvanceTo(rest.Start, hasMore ? rest.Start : rest.End);
        if (refusal != Refusal.None)
            Dispose(); // spec: RLY-11
        if (refusal != Refusal.None || (read.IsCompleted && !hasMore))
        {
            _isReadOut = true;
            _received.Reader.Complete();
            return false;
        }

        return hasMore;
    }

    /// <summary>Gives a train to the connection, as far as there is room. Returns how many datagrams it took. Loop only.</summary>
    public int Send(TimeSpan now, DatagramTrain train)
    {
        int taken = 0;
        int bytes = 0;
        if (_isFinished)
            return 0;
        foreach (ReadOnlySpan<byte> datagram in train)
        {
            int length = StreamedDatagram.HeaderSize + datagram.Length;
            if (datagram.Length > StreamedDatagram.MaxLength || !_backlog.HasRoom(now, bytes + length) || !_share.HasRoom(bytes + length))
                break;
            Span<byte> frame = _sending.Writer.GetSpan(length);
            StreamedDatagram.WriteHeader(frame, datagram.Length);
            datagram.CopyTo(frame[StreamedDatagram.HeaderSize..]);
            _sending.Writer.Advance(length);
            bytes += length;
            taken++;
        }

        if (bytes > 0)
        {
            _backlog.Add(now, bytes);
            _share.Add(bytes);
            ValueTask<FlushResult> flushed = _sending.Writer.FlushAsync(CancellationToken.None);
            Debug.Assert(flushed.IsCompleted, "This pipe never makes its writer wait.");
        }

        return taken;
    }

    private static bool TryTakeTrain(ref ReadOnlySequence<byte> stream, Span<byte> train, out int length, out int size, out Refusal refusal)
    {
        (length, size) = (0, 0);
        if (!StreamedDatagram.TryTake(ref stream, out ReadOnlySequence<byte> datagram, out refusal))
            return false;
        size = (int)datagram.Length;
        ReadOnlySequence<byte> ahead = stream;
        for (int count = 1; ; count++)
        {
            datagram.CopyTo(train[length..]);
            length += (int)datagram.Length;
            stream = ahead;
            if (datagram.Length < size || count == TransmitBatch.MaxTrainDatagrams || length + size > train.Length
                || !StreamedDatagram.TryTake(ref ahead, out datagram, out _) || datagram.Length > size)
                return true;
        }
    }

    private void NoteHeard(int trains)
    {
        Volatile.Write(ref _heardAt, Stopwatch.GetTimestamp());
        Volatile.Write(ref _datagrams, _datagrams + trains);
    }

    // However it ends, it ends: whoever waits for that keeps a place for it.
    private async Task RunAsync()
    {
        try
        {
            if (socket is not null && OperatingSystem.IsLinux())
                LimitUnsent(socket);
            Task receiving = ReceiveAllAsync();
            Task sending = SendAllAsync();
            await Task.WhenAny(receiving, sending).ConfigureAwait(false);
            await _stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(receiving, sending).ConfigureAwait(false);
        }
        finally
        {
            await CloseAsync().ConfigureAwait(false);
        }
    }

    private async Task CloseAsync()
    {
        try
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            socket?.Dispose();
            _share.Close();
            _stop.Dispose();
            _ended.SetResult();
        }
    }

    private async Task ReceiveAllAsync()
    {
        try
        {
            while (true)
            {
                await WaitForRoomAsync().ConfigureAwait(false);
                int length = await stream.ReadAsync(_received.Writer.GetMemory(BlockSize), _stop.Token).ConfigureAwait(false);
                if (length == 0)
                    break;
                _received.Writer.Advance(length);
                _share.Add(length);
                ValueTask<FlushResult> flushing = _received.Writer.FlushAsync(_stop.Token);
                Note(); // Before the wait: it ends only when the loop has read.
                await flushing.ConfigureAwait(false);
            }
        }
        catch (Exception error) when (IsEnd(error))
        {
        }
        finally
        {
            await _received.Writer.CompleteAsync().ConfigureAwait(false);
            Note();
        }
    }

    private async Task SendAllAsync()
    {
        try
        {
            while (true)
            {
                ReadResult read = await _sending.Reader.ReadAsync(_stop.Token).ConfigureAwait(false);
                ReadOnlyMemory<byte> piece = read.Buffer.First;
                if (piece.IsEmpty && read.IsCompleted)
                    break;
                await WaitForKernelAsync().ConfigureAwait(false);
                await stream.WriteAsync(piece, _stop.Token).ConfigureAwait(false);
                _sending.Reader.AdvanceTo(read.Buffer.GetPosition(piece.Length));
                _backlog.Remove(piece.Length);
                _share.Add(-piece.Length);
            }
        }
        catch (Exception error) when (IsEnd(error))
        {
        }
        finally
        {
            await _sending.Reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    // The framework tells when all of a write was copied, not when the kernel has sent it; the kernel is asked instead, less and less
    // often. It still has 128 KiB when it is ready for more, and who waits for long has a connection that is slow enough for that.
    private async ValueTask WaitForKernelAsync()
    {
        for (TimeSpan pause = s_shortestPause; socket is not null && !socket.Poll(TimeSpan.Zero, SelectMode.SelectWrite);)
        {
            await Task.Delay(pause, _stop.Token).ConfigureAwait(false);
            pause = TimeSpan.FromTicks(Math.Min(2 * pause.Ticks, s_longestPause.Ticks));
        }
    }

    // Whoever sends waits meanwhile; what waits here is on its way to the loop.
    private async ValueTask WaitForRoomAsync()
    {
        for (TimeSpan pause = s_shortestPause; !_share.HasRoomToRead(BlockSize);)
        {
            await Task.Delay(pause, _stop.Token).ConfigureAwait(false);
            pause = TimeSpan.FromTicks(Math.Min(2 * pause.Ticks, s_longestPause.Ticks));
        }
    }

    private static bool HasAddress(IPAddress local)
    {
        try
        {
            using var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(local, 0));
            return true;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode != SocketError.AddressNotAvailable;
        }
    }

    private static void LimitUnsent(Socket socket)
    {
        const int LevelTcp = 6, NotSentLowWater = 25;
        try
        {
            socket.SetRawSocketOption(LevelTcp, NotSentLowWater, BitConverter.GetBytes(MaxUnsent));
        }
        catch (SocketException)
        {
            // An old kernel: its own buffer is the queue then.
        }
    }

    private static bool IsEnd(Exception error) => error is IOException or SocketException or OperationCanceledException
        or ObjectDisposedException or AuthenticationException or InvalidOperationException;
}
