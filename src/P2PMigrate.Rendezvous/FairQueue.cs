using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous;

/// <summary>
/// Relay frames that wait to be sent, one queue for each direction of a channel. The queues take turns (deficit round robin), a train's
/// bytes at a time, so that a channel that floods waits for itself and not in front of the others; and the frames of a train leave one
/// behind the other, as a train. All queues share slots that are used again and again. Loop only.
/// </summary>
// spec: RLY-30
internal sealed class FairQueue
{
    /// <summary>Frames that wait in one queue; further ones are dropped.</summary>
    // spec: CONST-270
    public const int MaxFrames = 1024;

    /// <summary>Frames that wait in all queues together.</summary>
    // spec: CONST-270
    public const int Capacity = 4096;

    /// <summary>Bytes that a queue sends in its turn.</summary>
    // spec: CONST-270
    public const int Quantum = 64 << 10;

    /// <summary>Room for one frame. Nothing that we relay is longer.</summary>
    public const int SlotSize = DatagramRing.SlotSize;

    private const int None = -1;

    private readonly byte[] _bytes = new byte[Capacity * SlotSize];
    private readonly (int Length, int Next, NetworkAddress Destination)[] _slots = new (int, int, NetworkAddress)[Capacity];
    private readonly Dictionary<RelayLegId, Flow> _flows = [];
    private readonly Queue<Flow> _turns = new();
    private readonly Stack<Flow> _unused = new();
    private int _firstFree;

    /// <summary>All slots are free.</summary>
    public FairQueue()
    {
        for (int slot = 0; slot < Capacity; slot++)
            _slots[slot].Next = slot + 1 < Capacity ? slot + 1 : None;
        FreeSlots = Capacity;
    }

    /// <summary>Slots that no frame has.</summary>
    public int FreeSlots { get; private set; }

    /// <summary>
    /// May a train of <paramref name="frames"/> come without losing some? When there is only one queue, its sender may as well wait in the
    /// machine's own; when there are more, each loses its own.
    /// </summary>
    public bool HasRoom(int frames) =>
        FreeSlots >= frames && (_turns.Count != 1 || _turns.Peek().Count + frames <= MaxFrames);

    /// <summary>The slot that the next <see cref="TryAdd"/> takes; empty when all are taken.</summary>
    public Span<byte> Free => _firstFree == None ? default : _bytes.AsSpan(_firstFree * SlotSize, SlotSize);

    /// <summary>Takes the first <paramref name="length"/> bytes of <see cref="Free"/> as a frame for this leg; false when its queue is full.</summary>
    public bool TryAdd(RelayLegId leg, int length, NetworkAddress destination)
    {
        if (!_flows.TryGetValue(leg, out Flow? flow))
        {
            flow = _unused.TryPop(out Flow? old) ? old : new Flow();
            flow.Begin(leg);
            _flows.Add(leg, flow);
            _turns.Enqueue(flow);
        }

        if (flow.Count == MaxFrames)
            return false;
        int slot = _firstFree;
        _firstFree = _slots[slot].Next;
        FreeSlots--;
        _slots[slot] = (length, None, destination);
        if (flow.Count++ == 0)
            flow.First = slot;
        else
            _slots[flow.Last].Next = slot;
        flow.Last = slot;
        return true;
    }

    /// <summary>Moves as many as fit into <paramref name="batch"/>.</summary>
    public void MoveTo(TransmitBatch batch)
    {
        while (!batch.IsFull && _turns.TryPeek(out Flow? flow))
        {
            if (!flow.HasTurn)
                (flow.HasTurn, flow.Allowance) = (true, flow.Allowance + Quantum);
            while (flow.Count > 0 && _slots[flow.First].Length <= flow.Allowance && !batch.IsFull)
                MoveFirst(flow, batch);
            if (flow.Count == 0)
                Retire(_turns.Dequeue());
            else if (_slots[flow.First].Length > flow.Allowance)
                GiveTurn(_turns.Dequeue());
        }
    }

    private void MoveFirst(Flow flow, TransmitBatch batch)
    {
        int slot = flow.First;
        (int length, int next, NetworkAddress destination) = _slots[slot];
        _bytes.AsSpan(slot * SlotSize, length).CopyTo(batch.Free);
        batch.Join(length, destination);
        flow.Allowance -= length;
        flow.First = next;
        flow.Count--;
        _slots[slot].Next = _firstFree;
        _firstFree = slot;
        FreeSlots++;
    }

    private void GiveTurn(Flow flow)
    {
        flow.HasTurn = false;
        _turns.Enqueue(flow);
    }

    private void Retire(Flow flow)
    {
        _flows.Remove(flow.Leg);
        _unused.Push(flow);
    }

    /// <summary>The frames for one leg, oldest first.</summary>
    private sealed class Flow
    {
        public RelayLegId Leg { get; private set; }

        public int First { get; set; }

        public int Last { get; set; }

        public int Count { get; set; }

        public int Allowance { get; set; }

        public bool HasTurn { get; set; }

        public void Begin(RelayLegId leg)
        {
            Leg = leg;
            (Count, Allowance, HasTurn) = (0, 0, false);
        }
    }
}
