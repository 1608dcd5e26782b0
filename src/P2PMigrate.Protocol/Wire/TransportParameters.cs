using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// What a peer announces about itself inside the handshake: the credit it gives at the start, and its timers. On the
/// wire: pairs of identifier and value, both <see cref="VarInt"/>; unknown identifiers are skipped, missing ones have
/// the default.
/// </summary>
public sealed record TransportParameters
{
    /// <summary>Most bytes of an encoding that a receiver reads.</summary>
    // spec: CONST-22
    public const int MaxEncodedLength = 256;

    private const ulong IdleTimeoutId = 0x01;
    private const ulong MaxAckDelayId = 0x02;
    private const ulong ClassIdBase = 0x10;

    /// <summary>What control streams may use.</summary>
    public ClassLimits Control { get; init; } = new(StreamWindow: 256 << 10, ClassWindow: 1 << 20, Streams: 64);

    /// <summary>What urgent streams may use.</summary>
    public ClassLimits Urgent { get; init; } = new(StreamWindow: 1 << 20, ClassWindow: 8 << 20, Streams: 256);

    /// <summary>What bulk streams may use.</summary>
    public ClassLimits Bulk { get; init; } = new(StreamWindow: 1 << 20, ClassWindow: 16 << 20, Streams: 64);

    /// <summary>The announcer gives up after hearing nothing for this long; both sides use the smaller value.</summary>
    // spec: CONST-23
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>The announcer acknowledges within this time.</summary>
    // spec: CONST-24
    public TimeSpan MaxAckDelay { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>The limits of one class.</summary>
    public ClassLimits this[StreamClass streamClass] => streamClass switch
    {
        StreamClass.Control => Control,
        StreamClass.Urgent => Urgent,
        _ => Bulk,
    };

    /// <summary>Reads an encoding to its end; false when it is cut short, or a value makes no sense.</summary>
    // spec: PKT-31
    public static bool TryDecode(ReadOnlySpan<byte> source, out TransportParameters parameters)
    {
        parameters = new TransportParameters();
        if (source.Length > MaxEncodedLength)
            return false;
        WireReader reader = new(source);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadVarInt(out ulong id) || !reader.TryReadVarInt(out ulong value))
                return false;
            parameters = parameters.With(id, value);
        }

        return parameters.IdleTimeout > TimeSpan.Zero;
    }

    /// <summary>Writes all parameters and returns the length; <see cref="MaxEncodedLength"/> bytes are always enough.</summary>
    public int Encode(Span<byte> destination)
    {
        WireWriter writer = new(destination);
        WritePair(ref writer, IdleTimeoutId, (ulong)IdleTimeout.TotalMilliseconds);
        WritePair(ref writer, MaxAckDelayId, (ulong)MaxAckDelay.TotalMilliseconds);
        for (int i = 0; i < StreamClasses.Count; i++)
        {
            ClassLimits limits = this[(StreamClass)i];
            WritePair(ref writer, ClassIdBase + (ulong)(4 * i), limits.StreamWindow);
            WritePair(ref writer, ClassIdBase + (ulong)(4 * i) + 1, limits.ClassWindow);
            WritePair(ref writer, ClassIdBase + (ulong)(4 * i) + 2, limits.Streams);
        }

        return writer.Written;
    }

    private TransportParameters With(ulong id, ulong value) => id switch
    {
        IdleTimeoutId => this with { IdleTimeout = Milliseconds(value) },
        MaxAckDelayId => this with { MaxAckDelay = Milliseconds(value) },
        >= ClassIdBase and < ClassIdBase + 4 => this with { Control = Control.With(id & 3, value) },
        >= ClassIdBase + 4 and < ClassIdBase + 8 => this with { Urgent = Urgent.With(id & 3, value) },
        >= ClassIdBase + 8 and < ClassIdBase + 12 => this with { Bulk = Bulk.With(id & 3, value) },
        _ => this,
    };

    private static TimeSpan Milliseconds(ulong value) => TimeSpan.FromMilliseconds(Math.Min(value, 1 << 30));

    private static void WritePair(ref WireWriter writer, ulong id, ulong value)
    {
        writer.WriteVarInt(id);
        writer.WriteVarInt(value);
    }
}

/// <summary>
/// What a peer lets the other use in one stream class: bytes in flight and unread per stream, the same for all streams
/// of the class together, and streams open at a time.
/// </summary>
public readonly record struct ClassLimits(ulong StreamWindow, ulong ClassWindow, ulong Streams)
{
    internal ClassLimits With(ulong field, ulong value) => field switch
    {
        0 => this with { StreamWindow = value },
        1 => this with { ClassWindow = value },
        2 => this with { Streams = Math.Min(value, StreamId.MaxIndex + 1) },
        _ => this,
    };
}
