using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Paths;

/// <summary>An address at which a peer might be reached directly, and how it came to be known.</summary>
public readonly record struct Candidate(CandidateKind Kind, NetworkAddress Address)
{
    /// <summary>Most candidates that one peer announces, and that the other keeps.</summary>
    // spec: CONST-40
    public const int MaxCount = 16;

    /// <summary>Bytes of the longest encoding.</summary>
    public const int MaxEncodedLength = 1 + NetworkAddress.MaxEncodedLength;

    /// <summary>Bytes that <see cref="Encode"/> writes.</summary>
    public int EncodedLength => 1 + Address.EncodedLength;

    /// <summary>Reads what <see cref="Encode"/> wrote. A kind that a peer cannot announce is refused.</summary>
    public static bool TryDecode(ref WireReader reader, out Candidate candidate)
    {
        candidate = default;
        if (!reader.TryReadByte(out byte kind) || kind is 0 or > (byte)CandidateKind.Relayed)
            return false;
        if (!NetworkAddress.TryDecode(ref reader, out NetworkAddress address))
            return false;
        candidate = new((CandidateKind)kind, address);
        return true;
    }

    /// <summary>Writes kind and address.</summary>
    public void Encode(ref WireWriter writer)
    {
        writer.WriteByte((byte)Kind);
        Address.Encode(ref writer);
    }
}

/// <summary>How a candidate came to be known; the values are those on the wire.</summary>
public enum CandidateKind : byte
{
    /// <summary>Never announced: the source of an authenticated packet that nobody had told us about.</summary>
    PeerReflexive = 0,

    /// <summary>An address of one of the peer's own interfaces.</summary>
    Host = 1,

    /// <summary>The address that somebody outside of the peer's NAT saw.</summary>
    Reflexive = 2,

    /// <summary>Opened on the peer's gateway by a port-mapping protocol.</summary>
    Mapped = 3,

    /// <summary>An address at a relay that any sender can reach.</summary>
    Relayed = 4,
}
