using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Streams;

/// <summary>What a stream carries, best first: a better class is always sent before a worse one. The values are those on the wire.</summary>
// spec: STR-02
public enum StreamClass : byte
{
    /// <summary>Control messages: small, never behind data.</summary>
    Control = 0,

    /// <summary>Somebody waits for these bytes.</summary>
    Urgent = 1,

    /// <summary>As much as fits.</summary>
    Bulk = 2,
}

/// <summary>The set of stream classes.</summary>
internal static class StreamClasses
{
    /// <summary>How many classes there are.</summary>
    public const int Count = 3;

    /// <summary>Reads a class from one byte; false for a class that does not exist.</summary>
    public static bool TryRead(ref WireReader reader, out StreamClass streamClass)
    {
        bool isWhole = reader.TryReadByte(out byte value);
        streamClass = (StreamClass)value;
        return isWhole && value < Count;
    }
}
