using System.Buffers.Binary;
using System.Globalization;
using NSec.Cryptography;

namespace P2PMigrate.Protocol.Identity;

/// <summary>Names a ticket without giving it away: a hash of its secret.</summary>
public readonly record struct TicketId(UInt128 Value)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = 16;

    /// <summary>Reads the first <see cref="Size"/> bytes of <paramref name="source"/>.</summary>
    public static TicketId Read(ReadOnlySpan<byte> source) => new(BinaryPrimitives.ReadUInt128BigEndian(source));

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);
}

/// <summary>
/// The 16 secret bytes of a ticket, drawn once by the responder. Knowing them is the permission. The handshake uses
/// them only through the two derivations here.
/// </summary>
/// <remarks>spec: ID-12, ID-13.</remarks>
public readonly record struct TicketSecret(UInt128 Value)
{
    /// <summary>Bytes in a ticket.</summary>
    public const int Size = 16;

    /// <summary>Bytes of the pre-shared key that the handshake mixes in.</summary>
    public const int PreSharedKeySize = 32;

    /// <summary>A fresh secret.</summary>
    public static TicketSecret Create(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[Size];
        entropy.Fill(bytes);
        return Read(bytes);
    }

    /// <summary>Reads the first <see cref="Size"/> bytes of <paramref name="source"/>.</summary>
    public static TicketSecret Read(ReadOnlySpan<byte> source) => new(BinaryPrimitives.ReadUInt128BigEndian(source));

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, Value);

    /// <summary>The public name of this secret's ticket.</summary>
    public TicketId DeriveId()
    {
        Span<byte> id = stackalloc byte[TicketId.Size];
        Derive("p2pmigrate 1 ticket id"u8, id); // spec: ID-12
        return TicketId.Read(id);
    }

    /// <summary>Writes the handshake's pre-shared key.</summary>
    public void DerivePreSharedKey(Span<byte> destination) =>
        Derive("p2pmigrate 1 ticket psk"u8, destination[..PreSharedKeySize]); // spec: ID-13

    /// <summary>Hides the value: a secret does not belong in a log.</summary>
    public override string ToString() => "(secret)";

    private void Derive(ReadOnlySpan<byte> purpose, Span<byte> destination)
    {
        Span<byte> secret = stackalloc byte[Size];
        Write(secret);
        KeyDerivationAlgorithm.HkdfSha256.DeriveBytes(secret, [], purpose, destination);
    }
}
