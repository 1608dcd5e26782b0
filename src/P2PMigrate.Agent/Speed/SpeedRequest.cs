using System.Buffers.Binary;

namespace P2PMigrate.Agent.Speed;

/// <summary>Who sends in a speed test.</summary>
internal enum SpeedDirection : byte
{
    /// <summary>The initiator sends, the responder counts.</summary>
    ToResponder = 1,

    /// <summary>The responder sends, the initiator counts.</summary>
    FromResponder = 2,
}

/// <summary>What a speed test is to be. <paramref name="BytesPerSecond"/> is of all streams together; 0 is no limit.</summary>
// spec: SPD-02
internal readonly record struct SpeedRequest(
    SpeedDirection Direction, int Streams, TimeSpan Duration, TimeSpan Skip, long BytesPerSecond)
{
    public const int Size = 24;
    public const int StreamsMax = 64;
    public static readonly TimeSpan DurationMax = TimeSpan.FromSeconds(600);

    private const byte Version = 1;

    /// <summary>Is everything in its range?</summary>
    public bool IsValid =>
        Direction is SpeedDirection.ToResponder or SpeedDirection.FromResponder
        && Streams is > 0 and <= StreamsMax
        && Duration >= TimeSpan.FromMilliseconds(1) && Duration <= DurationMax
        && Skip >= TimeSpan.Zero && Skip < Duration
        && BytesPerSecond >= 0;

    /// <summary>Writes the bytes that travel.</summary>
    public void Write(Span<byte> destination)
    {
        destination[..Size].Clear();
        destination[0] = Version;
        destination[1] = (byte)Direction;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[2..], (ushort)Streams);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], (uint)Duration.TotalMilliseconds);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], (uint)Skip.TotalMilliseconds);
        BinaryPrimitives.WriteInt64LittleEndian(destination[16..], BytesPerSecond);
    }

    /// <summary>Reads what a peer sent; false for another version and for values out of range.</summary>
    // spec: SPD-03
    public static bool TryParse(ReadOnlySpan<byte> bytes, out SpeedRequest request)
    {
        request = default;
        if (bytes.Length != Size || bytes[0] != Version)
            return false;
        request = new SpeedRequest(
            (SpeedDirection)bytes[1],
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]),
            TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..])),
            TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..])),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]));
        return request.IsValid;
    }
}
