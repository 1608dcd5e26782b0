using System.Text;

namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// The end of the session: a code (13-errors, or the application's) and a reason for people. Fields: code, length of the
/// reason, reason in UTF-8.
/// </summary>
public readonly ref struct CloseFrame(ulong code, ReadOnlySpan<byte> reason)
{
    /// <summary>Most bytes of a reason; longer ones are cut by the sender and refused by the receiver.</summary>
    // spec: CONST-21
    public const int MaxReasonLength = 256;

    /// <summary>Bytes of the longest encoding.</summary>
    public const int MaxLength = 1 + VarInt.MaxLength + 2 + MaxReasonLength;

    /// <summary>Why, for programs.</summary>
    public ulong Code { get; } = code;

    /// <summary>Why, for people; UTF-8.</summary>
    public ReadOnlySpan<byte> Reason { get; } = reason;

    /// <summary>The reason as text; bytes that are not UTF-8 show as replacement characters.</summary>
    public string ReasonText => Encoding.UTF8.GetString(Reason);

    /// <summary>Encodes a reason, cut to <see cref="MaxReasonLength"/> at the boundary of a character.</summary>
    public static byte[] EncodeReason(string reason)
    {
        Span<byte> bytes = stackalloc byte[MaxReasonLength];
        Encoder encoder = Encoding.UTF8.GetEncoder();
        encoder.Convert(reason, bytes, flush: true, out _, out int length, out _);
        return bytes[..length].ToArray();
    }

    /// <summary>Writes the frame.</summary>
    public void Write(ref WireWriter writer)
    {
        writer.WriteByte((byte)FrameType.Close);
        writer.WriteVarInt(Code);
        writer.WritePrefixed(Reason);
    }

    /// <summary>Reads what follows the type byte.</summary>
    public static bool TryParse(ref WireReader reader, out CloseFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out ulong code) || !reader.TryReadPrefixed(MaxReasonLength, out ReadOnlySpan<byte> reason))
            return false;
        frame = new(code, reason);
        return true;
    }
}
