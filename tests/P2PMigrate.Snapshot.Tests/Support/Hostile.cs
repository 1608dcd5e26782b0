namespace P2PMigrate.Snapshot.Tests.Support;

/// <summary>Whether a parser accepts bytes; when it does not, it must say why.</summary>
internal delegate bool Parser(ReadOnlyMemory<byte> bytes, out string? reason);

/// <summary>What every parser of a peer's bytes must bear. A parser that throws fails the test by its exception.</summary>
internal static class Hostile
{
    private const int RandomInputs = 3000;

    /// <summary>Cuts good bytes at each length: refused with a reason, unless <paramref name="mayBeWhole"/> says that a prefix is sound.</summary>
    public static void CutAtEachLength(byte[] good, Parser parser, Func<int, bool>? mayBeWhole = null)
    {
        Assert.True(parser(good, out string? whole), whole);
        for (int length = 0; length < good.Length; length++)
        {
            bool isAccepted = parser(good.AsMemory(0, length).ToArray(), out string? reason);
            Assert.True(!isAccepted || mayBeWhole?.Invoke(length) == true, $"accepted {length} of {good.Length} bytes");
            Assert.Equal(isAccepted, reason is null);
        }
    }

    /// <summary>Random bytes, and good bytes with random changes: a reason or a value, never an exception.</summary>
    public static void Garble(byte[] good, Parser parser)
    {
        int seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        Random random = new(seed);
        for (int input = 0; input < RandomInputs; input++)
        {
            byte[] bytes = input % 2 == 0 ? new byte[random.Next(300)] : [.. good];
            if (input % 2 == 0)
                random.NextBytes(bytes);
            else
                Change(bytes, random);
            bool isAccepted = parser(bytes, out string? reason);
            Assert.True(isAccepted == reason is null, $"seed {seed}, input {input}: a refusal without a reason, or the reverse");
        }
    }

    private static void Change(byte[] bytes, Random random)
    {
        for (int changes = random.Next(1, 4); changes > 0; changes--)
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
    }
}
