using System.Buffers.Binary;

namespace P2PMigrate.Protocol.Recovery;

/// <summary>
/// Decides which packet numbers are left out, so that a peer cannot acknowledge what it has not received and make us send
/// faster than the path can carry: it would name one of them sooner or later. One owner.
/// </summary>
// spec: REC-16
internal sealed class SkippedNumbers(IEntropy entropy)
{
    // spec: CONST-78
    private const int MinGap = 64;
    private const int MaxGap = 1088;

    private int _left = NextGap(entropy);

    /// <summary>A packet gets a number; true when the next number is not to be used.</summary>
    public bool HandleSent()
    {
        if (--_left > 0)
            return false;
        _left = NextGap(entropy);
        return true;
    }

    private static int NextGap(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        entropy.Fill(bytes);
        return MinGap + (int)(BinaryPrimitives.ReadUInt32LittleEndian(bytes) % (MaxGap - MinGap));
    }
}
