using System.Diagnostics;

namespace P2PMigrate.Protocol.Streams;

/// <summary>Streams in the order in which they get their turn. A stream is in one queue at most and links itself.</summary>
internal sealed class StreamQueue
{
    private DuplexStream? _last;

    /// <summary>Whose turn it is.</summary>
    public DuplexStream? First { get; private set; }

    /// <summary>Is nobody waiting?</summary>
    public bool IsEmpty => First is null;

    /// <summary>Puts a stream at the end, out of whatever queue it is in; one that is here already keeps its place.</summary>
    public void Enqueue(DuplexStream stream)
    {
        if (stream.Queue == this)
            return;
        stream.Queue?.Remove(stream);
        stream.Queue = this;
        stream.Previous = _last;
        if (_last is null)
            First = stream;
        else
            _last.Next = stream;
        _last = stream;
    }

    /// <summary>Takes a stream out.</summary>
    public void Remove(DuplexStream stream)
    {
        Debug.Assert(stream.Queue == this);
        if (stream.Previous is null)
            First = stream.Next;
        else
            stream.Previous.Next = stream.Next;
        if (stream.Next is null)
            _last = stream.Previous;
        else
            stream.Next.Previous = stream.Previous;
        stream.Queue = null;
        stream.Previous = stream.Next = null;
    }

    /// <summary>Puts the first stream at the end.</summary>
    public void Rotate()
    {
        if (First is not { Next: not null } first)
            return;
        Remove(first);
        Enqueue(first);
    }

    /// <summary>Moves all streams to the end of another queue, keeping their order.</summary>
    public void MoveTo(StreamQueue other)
    {
        while (First is { } stream)
            other.Enqueue(stream);
    }
}
