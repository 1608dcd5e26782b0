namespace P2PMigrate.Protocol.Wire;

/// <summary>A probe: whoever gets it answers with the same token to where it came from. Fields: token (8 bytes).</summary>
public readonly record struct PathChallengeFrame(ulong Token)
{
    /// <summary>Bytes of every encoding.</summary>
    public const int Length = 1 + sizeof(ulong);

    /// <summary>Writes the frame.</summary>
    public void Write(ref WireWriter writer)
    {
        writer.WriteByte((byte)FrameType.PathChallenge);
        writer.WriteUInt64(Token);
    }

    /// <summary>Reads what follows the type byte.</summary>
    public static bool TryParse(ref WireReader reader, out PathChallengeFrame frame)
    {
        bool isWhole = reader.TryReadUInt64(out ulong token);
        frame = new(token);
        return isWhole;
    }
}

/// <summary>
/// The answer to a probe. Fields: token (8 bytes), the address from which the probe came as its receiver saw it. On a
/// relay that is the relay's address.
/// </summary>
public readonly record struct PathResponseFrame(ulong Token, NetworkAddress Observed)
{
    /// <summary>Bytes of the longest encoding.</summary>
    public const int MaxLength = 1 + sizeof(ulong) + NetworkAddress.MaxEncodedLength;

    /// <summary>Writes the frame.</summary>
    public void Write(ref WireWriter writer)
    {
        writer.WriteByte((byte)FrameType.PathResponse);
        writer.WriteUInt64(Token);
        Observed.Encode(ref writer);
    }

    /// <summary>Reads what follows the type byte.</summary>
    public static bool TryParse(ref WireReader reader, out PathResponseFrame frame)
    {
        frame = default;
        if (!reader.TryReadUInt64(out ulong token) || !NetworkAddress.TryDecode(ref reader, out NetworkAddress observed))
            return false;
        frame = new(token, observed);
        return true;
    }
}
