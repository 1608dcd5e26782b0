using System.Buffers.Binary;
using System.Globalization;

namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// Names a session at the endpoint that receives it: chosen at random by the receiver during the handshake and put by
/// the sender into every packet, so that packets find their session whatever address they come from. Zero is not used.
/// </summary>
public readonly record struct ConnectionId(ulong Value)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Size = sizeof(ulong);

    /// <summary>"None": never the id of a session.</summary>
    public static readonly ConnectionId None;

    /// <summary>A fresh id, unpredictable and never <see cref="None"/>.</summary>
    public static ConnectionId Create(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[Size];
        entropy.Fill(bytes);
        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        return new(value == 0 ? 1 : value);
    }

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}
