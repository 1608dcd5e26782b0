using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// Names a stream in a session. Bit 0 says who opened it (0 the initiator, 1 the responder), bits 1 and 2 its class, the
/// rest counts the streams of that opener and class from 0. So both ends know the class without being told.
/// </summary>
// spec: STR-01
public readonly record struct StreamId
{
    /// <summary>The largest index.</summary>
    public const ulong MaxIndex = VarInt.MaxValue >> 3;

    private StreamId(ulong value) => Value = value;

    /// <summary>The id as it stands on the wire.</summary>
    public ulong Value { get; }

    /// <summary>Who opened the stream.</summary>
    public ConnectionRole Opener => (ConnectionRole)(Value & 1);

    /// <summary>The class, chosen by the opener.</summary>
    public StreamClass Class => (StreamClass)(Value >> 1 & 3);

    /// <summary>The position among the streams of this opener and class.</summary>
    public ulong Index => Value >> 3;

    /// <summary>Puts an id together.</summary>
    public static StreamId Create(ConnectionRole opener, StreamClass streamClass, ulong index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, MaxIndex);
        return new(index << 3 | (ulong)streamClass << 1 | (ulong)opener);
    }

    /// <summary>Takes an id from the wire; false when its class does not exist.</summary>
    public static bool TryFrom(ulong value, out StreamId id)
    {
        id = new(value);
        return (value >> 1 & 3) < StreamClasses.Count && value <= VarInt.MaxValue;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Opener}/{Class}/{Index}";
}
