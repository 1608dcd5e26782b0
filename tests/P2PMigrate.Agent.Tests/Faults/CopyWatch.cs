using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Faults;

/// <summary>
/// Asks both hosts' copies all the time, by datagrams, which leave nothing in a frozen container that CRIU would have to save. Whoever answers runs: once the target's
/// copy has answered, the source's never may again, and no answer may have a lower counter than an earlier one.
/// </summary>
internal sealed class CopyWatch : IAsyncDisposable
{
    private static readonly IPEndPoint s_address = new(IPAddress.Parse("10.20.0.10"), 7001);
    private static readonly TimeSpan s_between = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly Socket[] _sockets;
    private readonly Task _watching;
    private readonly Lock _lock = new();
    private readonly List<string> _wrong = [];     // guarded by _lock, like all below
    private readonly long[] _seen = new long[2];
    private long _counter;
    private int _last;
    private long _answered;
    private long _longestGap;

    private CopyWatch(VirtualHost source, VirtualHost target)
    {
        _sockets = [source.OpenSocket(SocketType.Dgram, ProtocolType.Udp), target.OpenSocket(SocketType.Dgram, ProtocolType.Udp)];
        _watching = Task.WhenAll(AskAsync(0), ListenAsync(0), AskAsync(1), ListenAsync(1));
    }

    public static CopyWatch Start(VirtualHost source, VirtualHost target) => new(source, target);

    /// <summary>What must not have been seen.</summary>
    public IReadOnlyList<string> Wrong
    {
        get
        {
            lock (_lock) return [.. _wrong];
        }
    }

    /// <summary>The longest time without an answer that came since <see cref="BeginGaps"/>, up to the last answer.</summary>
    public TimeSpan LongestGap
    {
        get
        {
            lock (_lock) return Stopwatch.GetElapsedTime(0, _longestGap);
        }
    }

    /// <summary>Gaps count from here on; the one that lasts now counts as a whole.</summary>
    public void BeginGaps()
    {
        lock (_lock) _longestGap = 0;
    }

    /// <summary>
    /// The target's machine was lost, with a copy that may have answered: a person who knows that, and takes the source's, takes an older state. From here on the target's answers do not count.
    /// </summary>
    public void ForgetTarget()
    {
        lock (_lock) _seen[1] = 0;
    }

    /// <summary>Waits for an answer that was asked for from now on. Returns which host's copy gave it, 0 or 1; null when none comes.</summary>
    public async Task<int?> WhoRunsAsync(TimeSpan limit)
    {
        long now = Stopwatch.GetTimestamp();
        for (long deadline = Environment.TickCount64 + (long)limit.TotalMilliseconds; Environment.TickCount64 < deadline;)
        {
            await Task.Delay(s_between);
            lock (_lock)
            {
                if (_seen[1] > now) return 1;
                if (_seen[0] > now) return 0;
            }
        }

        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        foreach (Socket socket in _sockets)
            socket.Dispose();
        _stop.Dispose();
    }

    private async Task AskAsync(int side)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _sockets[side].SendToAsync("state"u8.ToArray(), s_address, _stop.Token);
            }
            catch (SocketException)
            {
                // There is no way to the copy now.
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(s_between, CancellationToken.None);
        }
    }

    private async Task ListenAsync(int side)
    {
        byte[] answer = new byte[4096];
        while (true)
        {
            try
            {
                SocketReceiveFromResult got = await _sockets[side].ReceiveFromAsync(answer, s_address, _stop.Token);
                Note(side, Testimony.Parse(System.Text.Encoding.UTF8.GetString(answer, 0, got.ReceivedBytes)));
            }
            catch (SocketException)
            {
                // Refused: the copy has no socket yet, or none any more.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Note(int side, Testimony said)
    {
        lock (_lock)
        {
            if (side == 0 && _seen[1] > 0)
                _wrong.Add("the source's copy answered after the target's had");
            if (side == _last && said.Counter < _counter)
                _wrong.Add($"the counter went from {_counter} back to {said.Counter}");
            if (side == 1 && _seen[1] == 0 && said.Counter < _counter)
                _wrong.Add($"the target's copy began at {said.Counter}, and the source's had been at {_counter}");
            (_counter, _last) = (Math.Max(_counter, said.Counter), side);
            long now = Stopwatch.GetTimestamp();
            if (_answered > 0)
                _longestGap = Math.Max(_longestGap, now - _answered);
            _answered = _seen[side] = now;
        }
    }
}
