using System.Diagnostics;
using Microsoft.Win32.SafeHandles;
using P2PMigrate.Protocol;
using P2PMigrate.Simulation;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Lab.Links;

/// <summary>
/// One direction of an emulated link: a thread that takes packets from one TUN device, asks the model what becomes of
/// them, and writes them into the other device when they are due. Looks at most every <see cref="Quantum"/>: finer would
/// cost a core and gain nothing, since the kernel's queues smooth what comes in.
/// </summary>
internal sealed unsafe class LinkDirection : IDisposable
{
    private static readonly long s_quantum = Quantum.Ticks * TimeSpan.NanosecondsPerTick;
    private const int Slots = 1 << 16;
    private const long LongestWait = 50_000_000;

    private readonly SafeFileHandle _in;
    private readonly SafeFileHandle _out;
    private readonly LinkModel _model;
    private readonly PacketStore _store = new(Slots);
    private readonly PriorityQueue<Packet, (long At, long Number)> _underWay = new();
    private readonly List<LinkArrival> _arrivals = [];
    private readonly Thread _thread;
    private LinkFaults? _change;
    private long _number;
    private long _delivered;
    private volatile bool _isStopping;
    private volatile bool _isUp = true;

    public LinkDirection(string name, SafeFileHandle input, SafeFileHandle output, ulong seed, LinkFaults faults)
    {
        (_in, _out) = (input, output);
        _model = new LinkModel(new SeededGenerator(seed)) { Faults = faults };
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    /// <summary>How often packets are looked at.</summary>
    public static TimeSpan Quantum => TimeSpan.FromMicroseconds(250);

    /// <summary>What has happened so far; the figures may be a moment old.</summary>
    public LinkCounts Counts => new(_model.Sent, _model.SentBytes, Volatile.Read(ref _delivered), _model.Lost, _model.Bottleneck.Dropped, _model.Refused);

    public void Start() => _thread.Start();

    /// <summary>From any thread: the next packets meet other faults. Those under way keep their time.</summary>
    public void Change(LinkFaults faults) => Interlocked.Exchange(ref _change, faults);

    /// <summary>From any thread: a link that is down swallows everything.</summary>
    public void SetUp(bool isUp) => _isUp = isUp;

    public void Dispose()
    {
        _isStopping = true;
        _thread.Join();
        _store.Dispose();
    }

    private static long Now => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));

    private void Run()
    {
        LinkNative.BePunctual();
        while (!_isStopping)
        {
            long now = Now;
            TakeIn(now);
            LetOut(now);
            WaitFor(now);
        }
    }

    private void TakeIn(long now)
    {
        if (Interlocked.Exchange(ref _change, null) is { } change)
            _model.Faults = change;
        _model.IsUp = _isUp;
        while (!_store.IsExhausted)
        {
            int slot = _store.Take();
            int length = LinkNative.Read(_in, _store.At(slot), PacketStore.SlotSize);
            if (length <= 0)
            {
                _store.Return(slot);
                return;
            }

            Carry(now, slot, length);
        }
    }

    private void Carry(long now, int slot, int length)
    {
        _arrivals.Clear();
        _model.Carry(new Instant(now), length, _arrivals);
        bool isFirst = true;
        foreach (LinkArrival arrival in _arrivals)
        {
            int own = isFirst ? slot : Copy(slot, length);
            if (own >= 0)
                _underWay.Enqueue(new Packet(own, length, arrival.DamagedBit), (arrival.At.Nanoseconds, _number++));
            isFirst = false;
        }

        if (isFirst)
            _store.Return(slot);
    }

    /// <summary>A duplicate needs memory of its own; -1 when there is none left.</summary>
    private int Copy(int slot, int length)
    {
        if (_store.IsExhausted)
            return -1;
        int copy = _store.Take();
        Buffer.MemoryCopy(_store.At(slot), _store.At(copy), PacketStore.SlotSize, length);
        return copy;
    }

    private void LetOut(long now)
    {
        while (_underWay.TryPeek(out Packet packet, out (long At, long Number) due) && due.At <= now)
        {
            _underWay.Dequeue();
            new LinkArrival(new Instant(due.At), packet.DamagedBit).Damage(new Span<byte>(_store.At(packet.Slot), packet.Length));
            LinkNative.Write(_out, _store.At(packet.Slot), packet.Length);
            _store.Return(packet.Slot);
            _delivered++;
        }
    }

    private void WaitFor(long roundBegan)
    {
        long rest = roundBegan + s_quantum - Now;
        if (rest > 0)
            LinkNative.Sleep(rest);
        long wait = _underWay.TryPeek(out _, out (long At, long Number) due) ? Math.Min(due.At - Now, LongestWait) : LongestWait;
        if (wait > 0)
            LinkNative.WaitReadable(_in, wait);
    }

    private readonly record struct Packet(int Slot, int Length, int DamagedBit);
}

/// <summary>
/// What became of the packets of one direction: how many came in, how many went out, what chance took, what the full queue
/// dropped, what was too long or found the link down.
/// </summary>
public sealed record LinkCounts(long Sent, long SentBytes, long Delivered, long Lost, long Dropped, long Refused);
