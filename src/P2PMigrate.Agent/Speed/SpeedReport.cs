using System.Buffers.Binary;

namespace P2PMigrate.Agent.Speed;

/// <summary>What the receiver of a test counted. <paramref name="Measured"/> is the part of <paramref name="Received"/> that came in <paramref name="Time"/>.</summary>
internal readonly record struct SpeedCount(long Received, long Measured, TimeSpan Time);

/// <summary>The responder's last word: what it counted, if it was the receiver, and the CPU time of its process.</summary>
// spec: SPD-06
internal readonly record struct SpeedReport(SpeedCount Count, TimeSpan Cpu)
{
    public const int Size = 32;

    /// <summary>The longest time that a report may name: longer than any test.</summary>
    private const ulong TimeMax = 3600ul * 1_000_000_000;

    /// <summary>Writes the bytes that travel.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteInt64LittleEndian(destination, Count.Received);
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], Count.Measured);
        BinaryPrimitives.WriteInt64LittleEndian(destination[16..], Count.Time.Ticks * TimeSpan.NanosecondsPerTick);
        BinaryPrimitives.WriteInt64LittleEndian(destination[24..], Cpu.Ticks * TimeSpan.NanosecondsPerTick);
    }

    /// <summary>Reads what a peer sent; false for what cannot have been counted.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out SpeedReport report)
    {
        report = default;
        if (bytes.Length != Size)
            return false;
        long received = BinaryPrimitives.ReadInt64LittleEndian(bytes), measured = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        ulong time = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]), cpu = BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]);
        if (received < 0 || measured < 0 || measured > received || time > TimeMax || cpu > TimeMax * (ulong)Environment.ProcessorCount)
            return false;
        report = new SpeedReport(new SpeedCount(received, measured, Span(time)), Span(cpu));
        return true;
    }

    private static TimeSpan Span(ulong nanoseconds) => new((long)nanoseconds / TimeSpan.NanosecondsPerTick);
}
