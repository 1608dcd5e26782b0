using P2PMigrate.Protocol.Nat;

namespace P2PMigrate.Protocol.Wire;

/// <summary>What the sender knows of its own NATs now, in place of what it said before. Fields: the profile.</summary>
// spec: PATH-61
public readonly record struct NatFrame(NatProfile Profile)
{
    /// <summary>Bytes of the longest encoding.</summary>
    public const int MaxLength = 1 + NatProfile.MaxEncodedLength;

    /// <summary>Writes the frame.</summary>
    public void Write(ref WireWriter writer)
    {
        writer.WriteByte((byte)FrameType.Nat);
        Profile.Encode(ref writer);
    }

    /// <summary>Reads what follows the type byte.</summary>
    public static bool TryParse(ref WireReader reader, out NatFrame frame)
    {
        bool isWhole = NatProfile.TryDecode(ref reader, out NatProfile profile);
        frame = new(profile);
        return isWhole;
    }
}
