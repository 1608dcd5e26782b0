namespace P2PMigrate.Protocol.Recovery;

/// <summary>The frames of one packet whose fate matters: the first one here, the others in a <see cref="SentFramePool"/>.</summary>
internal struct RecordedFrames
{
    /// <summary>No frames.</summary>
    public static readonly RecordedFrames None = new() { More = SentFramePool.None };

    /// <summary>The frame recorded first, which is the only one in most packets.</summary>
    public SentFrame First;

    /// <summary>The list of the others.</summary>
    public int More;
}

/// <summary>
/// The frames of all packets in flight that are not the first of their packet, as linked lists in one array: recording a
/// packet allocates nothing once the array has grown to what the session needs. A list is named by the index of its first
/// node, or <see cref="None"/>. One owner.
/// </summary>
internal sealed class SentFramePool
{
    /// <summary>The list without frames.</summary>
    public const int None = -1;

    private Node[] _nodes = [];
    private int _free = None;

    /// <summary>Adds a frame to those of a packet.</summary>
    public void Add(ref RecordedFrames frames, in SentFrame frame)
    {
        if (frames.First.Kind == SentFrameKind.None)
            frames.First = frame;
        else
            frames.More = Prepend(frames.More, frame);
    }

    /// <summary>Reads the first frame of a list and moves on to the rest.</summary>
    public bool TryNext(ref int list, out SentFrame frame)
    {
        frame = default;
        if (list == None)
            return false;
        (frame, list) = _nodes[list];
        return true;
    }

    /// <summary>Forgets the frames of a packet.</summary>
    public void Release(ref RecordedFrames frames)
    {
        for (int list = frames.More; list != None;)
        {
            int next = _nodes[list].Next;
            _nodes[list] = new(default, _free);
            _free = list;
            list = next;
        }

        frames = RecordedFrames.None;
    }

    private int Prepend(int list, in SentFrame frame)
    {
        if (_free == None)
            Grow();
        int index = _free;
        _free = _nodes[index].Next;
        _nodes[index] = new(frame, list);
        return index;
    }

    private void Grow()
    {
        int used = _nodes.Length;
        Array.Resize(ref _nodes, Math.Max(64, used * 2));
        for (int i = _nodes.Length - 1; i >= used; i--)
        {
            _nodes[i] = new(default, _free);
            _free = i;
        }
    }

    private readonly record struct Node(SentFrame Frame, int Next);
}
