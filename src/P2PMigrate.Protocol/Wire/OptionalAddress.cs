namespace P2PMigrate.Protocol.Wire;

/// <summary>An address where there may be none: a zero byte then.</summary>
internal static class OptionalAddress
{
    /// <summary>Bytes of the longest encoding.</summary>
    public const int MaxEncodedLength = NetworkAddress.MaxEncodedLength;

    /// <summary>Reads what <see cref="Encode"/> wrote.</summary>
    public static bool TryDecode(ref WireReader reader, out NetworkAddress address)
    {
        address = default;
        WireReader ahead = reader;
        if (!ahead.TryReadByte(out byte family) || family != (byte)IpFamily.None)
            return NetworkAddress.TryDecode(ref reader, out address);
        reader = ahead;
        return true;
    }

    /// <summary>Writes the address or a zero byte.</summary>
    public static void Encode(ref WireWriter writer, NetworkAddress address)
    {
        if (address.IsNone)
            writer.WriteByte((byte)IpFamily.None);
        else
            address.Encode(ref writer);
    }
}
