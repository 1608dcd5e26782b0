namespace P2PMigrate.Tunnel.Streams;

/// <summary>What <see cref="ITunnelStream.Weight"/> may be, the same for every kind of stream.</summary>
internal static class StreamWeight
{
    /// <summary>The weight, or <see cref="ArgumentOutOfRangeException"/>.</summary>
    public static int Checked(int value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, ITunnelStream.MaxWeight);
        return value;
    }
}
