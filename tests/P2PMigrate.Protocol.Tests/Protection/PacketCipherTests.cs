using NSec.Cryptography;
using P2PMigrate.Protocol.Protection;

namespace P2PMigrate.Protocol.Tests.Protection;

public sealed class PacketCipherTests
{
    private static readonly int[] s_lengths = [.. Enumerable.Range(0, 130), 255, 256, 257, 1199, 1400, 1432, 1500, 9000];

    public static TheoryData<ProtectionSuite> Suites => [.. ProtectionSuites.Supported];

    [Theory]
    [MemberData(nameof(Suites))]
    [Trait("Spec", "HS-31")]
    public void It_seals_what_NSec_seals_and_opens_it_again_also_in_place(ProtectionSuite suite)
    {
        AeadAlgorithm algorithm = suite.Algorithm();
        var random = new Random(1);
        byte[] key = Bytes(random, algorithm.KeySize);
        using Key theirs = Key.Import(algorithm, key, KeyBlobFormat.RawSymmetricKey);
        using PacketCipher ours = new(suite, key);
        foreach (int length in s_lengths)
        {
            byte[] nonce = Bytes(random, algorithm.NonceSize), header = Bytes(random, length % 40), plaintext = Bytes(random, length);
            byte[] expected = algorithm.Encrypt(theirs, nonce, header, plaintext), apart = new byte[length + ours.TagLength], within = [.. plaintext, .. new byte[ours.TagLength]];

            ours.Seal(nonce, header, plaintext, apart);
            ours.Seal(nonce, header, within.AsSpan(0, length), within);
            Assert.Equal(expected, apart);
            Assert.Equal(expected, within);

            byte[] opened = new byte[length];
            Assert.True(ours.TryOpen(nonce, header, apart, opened));
            Assert.True(ours.TryOpen(nonce, header, within, within.AsSpan(0, length)));
            Assert.Equal(plaintext, opened);
            Assert.Equal(plaintext, within[..length]);

            apart[random.Next(apart.Length)] ^= 1;
            Assert.False(ours.TryOpen(nonce, header, apart, opened));
        }
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Lengths_that_do_not_fit_and_a_key_that_was_let_go_are_refused(ProtectionSuite suite)
    {
        AeadAlgorithm algorithm = suite.Algorithm();
        Assert.Throws<ArgumentOutOfRangeException>(() => new PacketCipher(suite, new byte[algorithm.KeySize - 1]));
        PacketCipher cipher = new(suite, new byte[algorithm.KeySize]);
        byte[] nonce = new byte[algorithm.NonceSize], sealedBytes = new byte[10 + cipher.TagLength];
        Assert.Throws<ArgumentOutOfRangeException>(() => cipher.Seal(nonce, [], new byte[11], sealedBytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => cipher.TryOpen(nonce, [], sealedBytes, new byte[9]));
        Assert.Throws<ArgumentOutOfRangeException>(() => cipher.Seal(nonce.AsSpan(1), [], new byte[10], sealedBytes));

        cipher.Dispose();
        Assert.Throws<ObjectDisposedException>(() => cipher.Seal(nonce, [], new byte[10], sealedBytes));
        Assert.Throws<ObjectDisposedException>(() => cipher.TryOpen(nonce, [], sealedBytes, new byte[10]));
    }

    private static byte[] Bytes(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
