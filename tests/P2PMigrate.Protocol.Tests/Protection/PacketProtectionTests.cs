using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Protection;

namespace P2PMigrate.Protocol.Tests.Protection;

public sealed class PacketProtectionTests
{
    public static TheoryData<ProtectionSuite> Suites => [.. ProtectionSuites.Supported];

    [Theory]
    [MemberData(nameof(Suites))]
    [Trait("Spec", "HS-31")]
    public void Every_changed_bit_and_every_cut_is_noticed(ProtectionSuite suite)
    {
        using PacketKeys keys = Loop(suite);
        byte[] header = [1, 2, 3, 4], plaintext = [.. Enumerable.Range(0, 100).Select(value => (byte)value)];
        byte[] ciphertext = new byte[plaintext.Length + keys.Sealer.TagLength], opened = new byte[plaintext.Length];
        keys.Sealer.Seal(1, 5, header, plaintext, ciphertext);

        for (int bit = 0; bit < 8 * ciphertext.Length; bit++)
        {
            ciphertext[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(keys.Opener.TryOpen(1, 5, header, ciphertext, opened));
            ciphertext[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (int length = 0; length < ciphertext.Length; length++)
        {
            Assert.False(keys.Opener.TryOpen(1, 5, header, ciphertext.AsSpan(0, length), opened.AsSpan(0, Math.Max(0, length - keys.Opener.TagLength))));
        }

        Assert.True(keys.Opener.TryOpen(1, 5, header, ciphertext, opened));
        Assert.Equal(plaintext, opened);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Nonces_of_all_paths_and_numbers_differ(ProtectionSuite suite)
    {
        using PacketKeys keys = Loop(suite);
        var seen = new HashSet<string>();
        foreach (byte path in (byte[])[0, 1, 2, 255])
        {
            foreach (ulong number in (ulong[])[0, 1, 255, 256, 1UL << 32, 1UL << 40, (1UL << 62) - 1])
            {
                byte[] ciphertext = new byte[16 + keys.Sealer.TagLength];
                keys.Sealer.Seal(path, number, [], new byte[16], ciphertext);
                Assert.True(seen.Add(Convert.ToHexString(ciphertext)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    [Trait("Spec", "HS-32")]
    public void Each_epoch_and_each_direction_has_its_own_key(ProtectionSuite suite)
    {
        using var keys = new KeySchedule(suite, new byte[32], [.. Enumerable.Repeat((byte)1, 32)]);
        var seen = new HashSet<string>();
        for (uint epoch = 0; epoch < 10; epoch++)
        {
            Assert.Equal(epoch, keys.NextEpoch);
            using PacketKeys next = keys.Next();
            byte[] ciphertext = new byte[keys.Suite == suite ? 8 + next.Sealer.TagLength : 0];
            next.Sealer.Seal(0, 0, [], new byte[8], ciphertext);
            Assert.True(seen.Add(Convert.ToHexString(ciphertext)));
            Assert.False(next.Opener.TryOpen(0, 0, [], ciphertext, new byte[8]));
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_packet_costs_no_allocation(ProtectionSuite suite)
    {
        using PacketKeys keys = Loop(suite);
        byte[] header = new byte[16], plaintext = new byte[1400], ciphertext = new byte[1400 + keys.Sealer.TagLength];
        for (ulong number = 0; number < 100; number++)
        {
            Pass(keys, number, header, plaintext, ciphertext);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (ulong number = 100; number < 1100; number++)
        {
            Pass(keys, number, header, plaintext, ciphertext);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    [Trait("Spec", "HS-33")]
    [Trait("Spec", "HS-34")]
    public void A_key_refuses_to_work_past_its_limits()
    {
        using var protection = new PacketProtection(ProtectionSuite.ChaCha20Poly1305, new byte[32], new byte[12], maxSealed: 2, maxForged: 2);
        byte[] first = new byte[16], second = new byte[16];
        protection.Seal(0, 0, [], [], first);
        protection.Seal(0, 1, [], [], second);
        Assert.Throws<InvalidOperationException>(() => protection.Seal(0, 2, [], [], new byte[16]));
        Assert.Throws<InvalidOperationException>(() => protection.Seal(0, 3, [], [], new byte[16]));

        Assert.False(protection.TryOpen(0, 1, [], first, []));
        Assert.True(protection.TryOpen(0, 0, [], first, []));
        Assert.False(protection.TryOpen(0, 2, [], first, []));
        Assert.False(protection.TryOpen(0, 1, [], second, []));
    }

    private static void Pass(PacketKeys keys, ulong number, byte[] header, byte[] plaintext, byte[] ciphertext)
    {
        keys.Sealer.Seal(1, number, header, plaintext, ciphertext);
        if (!keys.Opener.TryOpen(1, number, header, ciphertext, plaintext))
        {
            throw new InvalidOperationException("It should open.");
        }
    }

    // Equal secrets for both directions: what the sealer seals its own opener opens.
    private static PacketKeys Loop(ProtectionSuite suite)
    {
        using var keys = new KeySchedule(suite, new byte[32], new byte[32]);
        return keys.Next();
    }
}
