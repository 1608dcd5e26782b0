using System.Buffers.Binary;
using System.Text;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Turn;

/// <summary>
/// Writes one STUN message into a buffer of the caller, which is long enough; <see cref="Finish"/> or <see cref="FinishWithIntegrity"/>
/// comes last.
/// </summary>
internal ref struct StunWriter
{
    private readonly Span<byte> _bytes;
    private int _length;

    /// <summary>Begins a message.</summary>
    public StunWriter(Span<byte> destination, StunMethod method, StunClass role, StunTransactionId id)
    {
        _bytes = destination;
        _length = StunMessage.HeaderSize;
        int type = ((ushort)method & 0x000F) | ((ushort)method & 0x0070) << 1 | ((ushort)method & 0x0F80) << 2 | ((byte)role & 1) << 4 | ((byte)role & 2) << 7;
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)type);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], StunMessage.MagicCookie);
        id.CopyTo(destination[8..]);
    }

    /// <summary>Adds bytes.</summary>
    public void Add(StunAttribute type, scoped ReadOnlySpan<byte> value) => value.CopyTo(Begin(type, value.Length));

    /// <summary>Adds text.</summary>
    public void Add(StunAttribute type, string value) => Encoding.UTF8.GetBytes(value, Begin(type, Encoding.UTF8.GetByteCount(value)));

    /// <summary>Adds a number of four bytes.</summary>
    public void Add(StunAttribute type, uint value) => BinaryPrimitives.WriteUInt32BigEndian(Begin(type, sizeof(uint)), value);

    /// <summary>Adds an address, mixed with the cookie and the transaction id so that no gateway takes it for one that it has to translate.</summary>
    public void Add(StunAttribute type, NetworkAddress address)
    {
        Span<byte> value = Begin(type, 4 + address.AddressLength);
        value[0] = 0;
        value[1] = (byte)(address.Family == IpFamily.V4 ? 1 : 2);
        BinaryPrimitives.WriteUInt16BigEndian(value[2..], (ushort)(address.Port ^ StunMessage.MagicCookie >> 16));
        address.CopyAddressTo(value[4..]);
        for (int i = 4; i < value.Length; i++)
            value[i] ^= _bytes[i];
    }

    /// <summary>Ends the message; gives its length.</summary>
    public readonly int Finish()
    {
        BinaryPrimitives.WriteUInt16BigEndian(_bytes[2..], (ushort)(_length - StunMessage.HeaderSize));
        return _length;
    }

    /// <summary>Ends the message with the proof that its sender knows <paramref name="key"/>; gives its length.</summary>
    public int FinishWithIntegrity(scoped ReadOnlySpan<byte> key)
    {
        int at = _length;
        Span<byte> value = Begin(StunAttribute.MessageIntegrity, StunIntegrity.Size);
        StunIntegrity.Compute(_bytes, at, key, value);
        return Finish();
    }

    /// <summary>Ends the message with a fingerprint; gives its length.</summary>
    public int FinishWithFingerprint()
    {
        int at = _length;
        Span<byte> value = Begin(StunAttribute.Fingerprint, sizeof(uint));
        Finish();
        BinaryPrimitives.WriteUInt32BigEndian(value, StunIntegrity.Fingerprint(_bytes, at));
        return _length;
    }

    private Span<byte> Begin(StunAttribute type, int length)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_bytes[_length..], (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(_bytes[(_length + 2)..], (ushort)length);
        Span<byte> padded = _bytes.Slice(_length + 4, StunMessage.Padded(length));
        padded[length..].Clear();
        _length += 4 + padded.Length;
        return padded[..length];
    }
}
