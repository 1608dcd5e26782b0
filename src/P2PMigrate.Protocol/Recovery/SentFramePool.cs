namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// The frames of all packets in flight, as linked lists in one array: recording a packet allocates nothing once the
/// array has grown to what the session needs. A list is named by the index of its first node, or <see cref="None"/>.
/// </summary>
internal sealed class SentFramePool
{
    /// <summary>The list without frames.</summary>
    public const int None = -1;

    private Node[] _nodes = [];
    private int _free = None;

    /// <summary>Puts a frame in front of a list and returns the new list.</summary>
    public int Prepend(int list, in SentFrame frame)
    {
        if (_free == None)
            Grow();
        int index = _free;
        _free = _nodes[index].Next;
        _nodes[index] = new(frame, list);
        return index;
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

    /// <summary>Gives the nodes of a list back.</summary>
    public void Release(int list)
    {
        while (list != None)
        {
            int next = _nodes[list].Next;
            _nodes[list] = new(default, _free);
            _free = list;
            list = next;
        }
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
