using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;

namespace P2PMigrate.Migration;

/// <summary>The name of one attempt to move one container: 16 random bytes, chosen by the source. Its text is 32 lower-case hexadecimal digits.</summary>
public readonly record struct JobId(UInt128 Value)
{
    /// <summary>Bytes in a job id.</summary>
    public const int Size = 16;

    /// <summary>A new id that nobody has used.</summary>
    public static JobId Create()
    {
        Span<byte> bytes = stackalloc byte[Size];
        RandomNumberGenerator.Fill(bytes);
        return new JobId(BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    /// <summary>Reads the binary form; false when <paramref name="bytes"/> is not exactly <see cref="Size"/> long.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out JobId job)
    {
        job = bytes.Length == Size ? new JobId(BinaryPrimitives.ReadUInt128BigEndian(bytes)) : default;
        return bytes.Length == Size;
    }

    /// <summary>Reads the text form; false when <paramref name="text"/> is not exactly 32 hexadecimal digits.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out JobId job)
    {
        bool isHex = text?.Length == 2 * Size && text.All(char.IsAsciiHexDigit);
        job = isHex ? new JobId(UInt128.Parse(text!, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)) : default;
        return isHex;
    }

    /// <summary>The binary form.</summary>
    public byte[] ToBytes()
    {
        byte[] bytes = new byte[Size];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Value);
        return bytes;
    }

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);
}
