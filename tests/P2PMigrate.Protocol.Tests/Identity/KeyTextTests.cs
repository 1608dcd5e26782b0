using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Tests.Identity;

[Trait("Spec", "ID-18")]
public sealed class KeyTextTests
{
    private static readonly PublicIdentity s_key = PrivateIdentity.Create(new SeededEntropy(3)).Public;

    [Fact]
    public void A_key_survives_the_way_through_text()
    {
        string text = KeyText.Format(s_key);
        Assert.Equal((63, true), (text.Length, text.StartsWith("p2pk1", StringComparison.Ordinal)));
        Assert.True(KeyText.TryParse($" {text}\n", out PublicIdentity? read));
        Assert.Equal(s_key.Bytes, read.Bytes);
    }

    [Fact]
    public void Every_change_of_one_character_and_every_other_length_is_refused()
    {
        string text = KeyText.Format(s_key);
        for (int at = 0; at < text.Length; at++)
        {
            foreach (char other in "abcdefghijklmnopqrstuvwxyz234567A-0".Where(character => character != text[at]))
                Assert.False(KeyText.TryParse(text[..at] + other + text[(at + 1)..], out _), $"{other} at {at}");
            Assert.False(KeyText.TryParse(text[..at], out _), $"{at} characters");
            Assert.False(KeyText.TryParse(text[..at] + text[(at + 1)..], out _), $"without character {at}");
        }

        Assert.False(KeyText.TryParse(text + "a", out _));
    }

    [Fact]
    public void A_peer_id_a_ticket_and_nothing_are_no_keys() =>
        Assert.All([null, "", "p2pk1", s_key.PeerId.ToString(), "p2pm1" + KeyText.Format(s_key)[5..]], text => Assert.False(KeyText.TryParse(text, out _)));
}
