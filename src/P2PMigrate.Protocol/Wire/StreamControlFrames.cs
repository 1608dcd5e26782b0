using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol.Wire;

/// <summary>The sender gives up its direction: what was not delivered never will be. Fields: stream id, code, final size.</summary>
public readonly record struct ResetStreamFrame(StreamId Stream, ulong Code, ulong FinalSize)
{
    /// <summary>Bytes of the longest encoding.</summary>
    public const int MaxLength = 1 + 3 * VarInt.MaxLength;

    /// <summary>Writes the frame.</summary>
    public void Write(ref WireWriter writer)
    {
        writer.WriteByte((byte)FrameType.ResetStream);
        writer.WriteVarInt(Stream.Value);
        writer.WriteVarInt(Code);
        writer.WriteVarInt(FinalSize);
    }

    /// <summary>Reads what follows the type byte.</summary>
    public static bool TryParse(ref WireReader reader, out ResetStreamFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out ulong id) || !StreamId.TryFrom(id, out StreamId stream))
            return false;
        if (!reader.TryReadVarInt(out ulong code) || !reader.TryReadVarInt(out ulong finalSize))
            return false;
        frame = new(stream, code, finalSize);
        return true;
    }
}

/// <summary>The receiver does not want the rest of the peer's direction. Fields: stream id, code.</summary>
public readonly record struct StopSendingFrame(StreamId Stream, ulong Code)
{
    /// <summary>Bytes of the longest encoding.</summary>
    public const int MaxLength = 1 + 2 * VarInt.MaxLength;

    /// <summary>Writes the frame.</summary>
    public void Write(ref WireWriter writer)
    {
        writer.WriteByte((byte)FrameType.StopSending);
        writer.WriteVarInt(Stream.Value);
        writer.WriteVarInt(Code);
    }

    /// <summary>Reads what follows the type byte.</summary>
    public static bool TryParse(ref WireReader reader, out StopSendingFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out ulong id) || !StreamId.TryFrom(id, out StreamId stream))
            return false;
        if (!reader.TryReadVarInt(out ulong code))
            return false;
        frame = new(stream, code);
        return true;
    }
}
