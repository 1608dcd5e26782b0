using System.Buffers.Binary;
using System.Globalization;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>Ties the answers of a rendezvous server to a client's question: random, chosen by whoever asks.</summary>
public readonly record struct TransactionId(ulong Value)
{
    /// <summary>A fresh id.</summary>
    public static TransactionId Create(IEntropy entropy) => new(RandomId.Next(entropy));

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}

/// <summary>
/// The server's name for an offer that it delivered. Known to the server and the responder alone: whoever can name it
/// got the delivery.
/// </summary>
public readonly record struct OfferId(ulong Value)
{
    /// <summary>A fresh id.</summary>
    public static OfferId Create(IEntropy entropy) => new(RandomId.Next(entropy));

    /// <inheritdoc/>
    public override string ToString() => Value.ToString("x16", CultureInfo.InvariantCulture);
}

/// <summary>
/// One leg of a relay channel: 56 random bits, known to the server and the peer at the end of that leg alone. The two
/// legs of a channel have different ids.
/// </summary>
public readonly record struct RelayLegId(ulong Value)
{
    /// <summary>No leg: the server did not open a channel.</summary>
    public static readonly RelayLegId None;

    internal const ulong Mask = (1UL << 56) - 1;

    /// <summary>A fresh id, never <see cref="None"/>.</summary>
    public static RelayLegId Create(IEntropy entropy)
    {
        ulong value = RandomId.Next(entropy) & Mask;
        return new(value == 0 ? 1 : value);
    }

    /// <summary>Hidden: whoever knows the id can send on the leg.</summary>
    public override string ToString() => this == None ? "no leg" : "leg " + (Value >> 40).ToString("x4", CultureInfo.InvariantCulture) + "…";
}

/// <summary>Unpredictable 64-bit numbers.</summary>
internal static class RandomId
{
    public static ulong Next(IEntropy entropy)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        entropy.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
