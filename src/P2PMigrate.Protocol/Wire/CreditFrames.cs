using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// The peer may send up to <paramref name="Limit"/> bytes in all streams of a class together, counted from the start of
/// the session. Fields: class (one byte), limit. A smaller limit than before is ignored.
/// </summary>
public readonly record struct MaxDataFrame(StreamClass Class, ulong Limit)
{
    /// <summary>Bytes of the longest encoding.</summary>
    public const int MaxLength = 2 + VarInt.MaxLength;

    /// <summary>Writes the frame.</summary>
    public void Write(ref WireWriter writer)
    {
        writer.WriteByte((byte)FrameType.MaxData);
        writer.WriteByte((byte)Class);
        writer.WriteVarInt(Limit);
    }

    /// <summary>Reads what follows the type byte.</summary>
    public static bool TryParse(ref WireReader reader, out MaxDataFrame frame)
    {
        frame = default;
        if (!StreamClasses.TryRead(ref reader, out StreamClass streamClass) || !reader.TryReadVarInt(out ulong limit))
            return false;
        frame = new(streamClass, limit);
        return true;
    }
}

/// <summary>
/// The peer may send up to <paramref name="Limit"/> bytes in this stream. Fields: stream id, limit. A smaller limit than
/// before is ignored.
/// </summary>
public readonly record struct MaxStreamDataFrame(StreamId Stream, ulong Limit)
{
    /// <summary>Bytes of the longest encoding.</summary>
    public const int MaxLength = 1 + 2 * VarInt.MaxLength;

    /// <summary>Writes the frame.</summary>
    public void Write(ref WireWriter writer)
    {
        writer.WriteByte((byte)FrameType.MaxStreamData);
        writer.WriteVarInt(Stream.Value);
        writer.WriteVarInt(Limit);
    }

    /// <summary>Reads what follows the type byte.</summary>
    public static bool TryParse(ref WireReader reader, out MaxStreamDataFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out ulong id) || !StreamId.TryFrom(id, out StreamId stream))
            return false;
        if (!reader.TryReadVarInt(out ulong limit))
            return false;
        frame = new(stream, limit);
        return true;
    }
}

/// <summary>
/// The peer may open <paramref name="Limit"/> streams of this class, counted from the start of the session. Fields:
/// class (one byte), limit. A smaller limit than before is ignored.
/// </summary>
public readonly record struct MaxStreamsFrame(StreamClass Class, ulong Limit)
{
    /// <summary>Bytes of the longest encoding.</summary>
    public const int MaxLength = 2 + VarInt.MaxLength;

    /// <summary>Writes the frame.</summary>
    public void Write(ref WireWriter writer)
    {
        writer.WriteByte((byte)FrameType.MaxStreams);
        writer.WriteByte((byte)Class);
        writer.WriteVarInt(Limit);
    }

    /// <summary>Reads what follows the type byte. Refuses more streams than there are ids.</summary>
    public static bool TryParse(ref WireReader reader, out MaxStreamsFrame frame)
    {
        frame = default;
        if (!StreamClasses.TryRead(ref reader, out StreamClass streamClass) || !reader.TryReadVarInt(out ulong limit))
            return false;
        frame = new(streamClass, limit);
        return limit <= StreamId.MaxIndex + 1;
    }
}
