using P2PMigrate.Protocol.Paths;

namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// Addresses that the sender learned after the handshake. Fields: count (one byte, 1 to
/// <see cref="Candidate.MaxCount"/>), candidates. A successful parse has checked all of them.
/// </summary>
public readonly ref struct CandidatesFrame
{
    /// <summary>Bytes of the longest encoding.</summary>
    public const int MaxLength = 2 + Candidate.MaxCount * Candidate.MaxEncodedLength;

    private readonly ReadOnlySpan<byte> _encoded;

    private CandidatesFrame(int count, ReadOnlySpan<byte> encoded)
    {
        Count = count;
        _encoded = encoded;
    }

    /// <summary>How many candidates there are.</summary>
    public int Count { get; }

    /// <summary>Writes a frame with all of <paramref name="candidates"/>.</summary>
    public static void Write(ref WireWriter writer, scoped ReadOnlySpan<Candidate> candidates)
    {
        writer.WriteByte((byte)FrameType.Candidates);
        writer.WriteByte((byte)candidates.Length);
        foreach (Candidate candidate in candidates)
            candidate.Encode(ref writer);
    }

    /// <summary>Reads what follows the type byte.</summary>
    public static bool TryParse(ref WireReader reader, out CandidatesFrame frame)
    {
        frame = default;
        if (!reader.TryReadByte(out byte count) || count is 0 or > Candidate.MaxCount)
            return false;
        WireReader start = reader;
        for (int i = 0; i < count; i++)
        {
            if (!Candidate.TryDecode(ref reader, out _))
                return false;
        }

        start.TryReadBytes(start.Remaining - reader.Remaining, out ReadOnlySpan<byte> encoded);
        frame = new(count, encoded);
        return true;
    }

    /// <summary>Copies the candidates and returns how many there were; there is room for <see cref="Count"/>.</summary>
    public int CopyTo(Span<Candidate> destination)
    {
        WireReader reader = new(_encoded);
        for (int i = 0; i < Count; i++)
            Candidate.TryDecode(ref reader, out destination[i]);
        return Count;
    }
}
