using System.Diagnostics;
using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Protection;

namespace P2PMigrate.PacketBench;

/// <summary>What no protocol can do without: nanoseconds for a datagram.</summary>
internal static class PacketFloor
{
    private const int Times = 200_000;

    public static double Aead(ProtectionSuite suite, int datagramSize)
    {
        byte[] secret = new byte[KeySchedule.SecretSize];
        using KeySchedule ours = new(suite, secret, secret);
        PacketKeys keys = ours.Next();
        byte[] plain = new byte[datagramSize - 16 - keys.Sealer.TagLength], sealedBytes = new byte[plain.Length + keys.Sealer.TagLength], header = new byte[16];
        long start = Stopwatch.GetTimestamp();
        for (ulong i = 0; i < Times; i++)
        {
            keys.Sealer.Seal(1, i, header, plain, sealedBytes);
            keys.Opener.TryOpen(1, i, header, sealedBytes, plain);
        }

        double each = Stopwatch.GetElapsedTime(start).TotalNanoseconds / Times;
        keys.Dispose();
        return each;
    }

    public static double Copy(int datagramSize)
    {
        byte[] cold = new byte[64 << 20], to = new byte[datagramSize];
        int at = 0;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Times; i++, at = at + (2 * datagramSize) > cold.Length ? 0 : at + datagramSize)
            cold.AsSpan(at, datagramSize).CopyTo(to);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / Times;
    }
}
