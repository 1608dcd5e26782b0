using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using P2PMigrate.Lab;

namespace P2PMigrate.MigrationBench.Ground;

/// <summary>
/// The container's client: every millisecond a datagram to the container's address, from the source's network and from the target's, and a note of each
/// answer by the machine's clock. Threads of its own, from <see cref="Start"/> to <see cref="Stop"/>.
/// </summary>
internal sealed class EchoProbe : IDisposable
{
    private static readonly IPEndPoint s_address = new(IPAddress.Parse("10.20.0.10"), 7);
    private static readonly TimeSpan s_pace = TimeSpan.FromMilliseconds(1);

    private readonly Socket[] _doors;
    private readonly Thread[] _threads;
    private readonly List<DateTime> _answers = [];
    private readonly Lock _lock = new();
    private volatile bool _stopping;
    private volatile bool _hasCrossed;

    private EchoProbe(Socket[] doors)
    {
        _doors = doors;
        foreach (Socket door in doors)
            door.Blocking = false; // datagrams to nobody fill the socket, and the other door must not wait for that
        _threads = [new Thread(Ask), .. doors.Select((socket, door) => new Thread(() => Listen(socket, door)))];
        foreach (Thread thread in _threads)
            thread.Start();
    }

    /// <summary>Has the target's side answered?</summary>
    public bool HasCrossed => _hasCrossed;

    public static EchoProbe Start(VirtualHost source, VirtualHost target) =>
        new([source.OpenSocket(SocketType.Dgram, ProtocolType.Udp), target.OpenSocket(SocketType.Dgram, ProtocolType.Udp)]);

    public async Task WaitForAnswerAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        DateTime deadline = DateTime.UtcNow + limit;
        while (Count() == 0)
        {
            if (DateTime.UtcNow > deadline)
                throw new LabException($"the container did not answer within {limit.TotalSeconds:0} s");
            await Task.Delay(20, cancellationToken);
        }
    }

    /// <summary>Waits until the container answers again, after whatever happened to it, and has done so for a while.</summary>
    public async Task SettleAsync(bool atTarget, CancellationToken cancellationToken)
    {
        for (DateTime deadline = DateTime.UtcNow.AddSeconds(30); atTarget && !_hasCrossed && DateTime.UtcNow < deadline;)
            await Task.Delay(10, cancellationToken);
        int before = Count();
        for (DateTime deadline = DateTime.UtcNow.AddSeconds(30); Count() < before + 100 && DateTime.UtcNow < deadline;)
            await Task.Delay(10, cancellationToken);
        if (Count() < before + 100)
            throw new LabException("the container does not answer any more");
    }

    /// <summary>Ends it and returns the longest gap between two answers.</summary>
    public TimeSpan Stop()
    {
        Dispose();
        DateTime[] answers = [.. _answers.Order()];
        return answers.Length < 2 ? throw new LabException("the container hardly answered") : answers.Zip(answers.Skip(1), (first, second) => second - first).Max();
    }

    public void Dispose()
    {
        _stopping = true;
        foreach (Thread thread in _threads)
            thread.Join();
        foreach (Socket door in _doors)
            door.Dispose();
    }

    private int Count()
    {
        lock (_lock)
            return _answers.Count;
    }

    private void Ask()
    {
        Span<byte> word = stackalloc byte[8];
        for (long number = 0; !_stopping; number++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(word, number);
            foreach (Socket door in _doors)
            {
                try
                {
                    door.SendTo(word, s_address);
                }
                catch (SocketException)
                {
                    // Nobody there at the moment: the answer that does not come says so.
                }
            }

            Thread.Sleep(s_pace);
        }
    }

    private void Listen(Socket socket, int door)
    {
        Span<byte> word = stackalloc byte[64];
        while (!_stopping)
        {
            try
            {
                if (!socket.Poll(TimeSpan.FromMilliseconds(20), SelectMode.SelectRead) || socket.Receive(word) == 0)
                    continue;
            }
            catch (SocketException)
            {
                continue;
            }

            lock (_lock)
                _answers.Add(DateTime.UtcNow);
            _hasCrossed |= door == 1;
        }
    }
}
