using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace P2PMigrate.Demo;

/// <summary>
/// What the container's users see: increments one counter again and again, about once a millisecond, and notes every
/// reply. It knows two doors, the container's address in the source's network and in the target's, stays with the
/// one that answers, and tries the other when that one falls silent. One thread of its own, from construction to <see cref="Stop"/>.
/// </summary>
internal sealed class CounterClient
{
    private const string Key = "counter";
    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_silence = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_connect = TimeSpan.FromMilliseconds(10);

    private readonly Func<Socket>[] _doors;
    private readonly IPEndPoint _address;
    private readonly Thread _thread;
    private readonly List<Reply> _replies = [];
    private readonly RedisConnection?[] _asked = new RedisConnection?[2];
    private volatile bool _stopping;
    private Exception? _fault;

    public CounterClient(Func<Socket> sourceDoor, Func<Socket> targetDoor, IPEndPoint address)
    {
        (_doors, _address) = ([sourceDoor, targetDoor], address);
        _thread = new Thread(Run) { Name = "counter client", IsBackground = true };
        _thread.Start();
    }

    /// <summary>One answered increment: when, the counter's value, and through which door (0 source, 1 target).</summary>
    internal readonly record struct Reply(long Timestamp, long Value, int Door);

    /// <summary>Ends the client and returns every reply it got, in order.</summary>
    public IReadOnlyList<Reply> Stop()
    {
        _stopping = true;
        _thread.Join();
        return _fault is null ? _replies : throw new InvalidOperationException("The counter client failed.", _fault);
    }

    private void Run()
    {
        try
        {
            for (int door = 0; !_stopping;)
            {
                if (Increment(door) is not { } reply)
                    return;
                _replies.Add(reply);
                door = reply.Door;
                Thread.Sleep(s_pace);
            }
        }
        catch (Exception exception)
        {
            _fault = exception;
        }
        finally
        {
            Drop(0);
            Drop(1);
        }
    }

    /// <summary>Asks through <paramref name="preferred"/>, after some silence through both; the first answer counts.</summary>
    private Reply? Increment(int preferred)
    {
        Drop(1 - preferred);
        Ask(preferred);
        long asked = Stopwatch.GetTimestamp();
        while (!_stopping)
        {
            for (int door = 0; door < 2; door++)
            {
                if (TakeAnswer(door) is { } value)
                    return new Reply(Stopwatch.GetTimestamp(), value, door);
            }
            bool isSilent = Stopwatch.GetElapsedTime(asked) > s_silence;
            if (isSilent && _asked[1 - preferred] is null)
                Ask(1 - preferred);
            if (_asked[preferred] is null)
                Ask(preferred);
            WaitBriefly();
        }
        return null;
    }

    private void Ask(int door)
    {
        try
        {
            _asked[door] ??= RedisConnection.TryOpen(_doors[door](), _address, s_connect);
            _asked[door]?.Send(["INCR", Key]);
        }
        catch (SocketException)
        {
            Drop(door);
        }
    }

    private long? TakeAnswer(int door)
    {
        try
        {
            return _asked[door] is { HasReply: true } connection ? (long)connection.Receive()! : null;
        }
        catch (SocketException)
        {
            Drop(door);
            return null;
        }
    }

    private void WaitBriefly()
    {
        TimeSpan step = TimeSpan.FromMicroseconds(500);
        if ((_asked[0] ?? _asked[1]) is { } connection)
            connection.WaitForReply(step);
        else
            Thread.Sleep(s_pace);
    }

    private void Drop(int door)
    {
        _asked[door]?.Dispose();
        _asked[door] = null;
    }
}
