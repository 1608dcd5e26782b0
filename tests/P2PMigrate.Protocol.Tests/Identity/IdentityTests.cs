using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Tests.Identity;

public sealed class IdentityTests
{
    [Fact]
    [Trait("Spec", "ID-01")]
    public void An_exported_identity_is_the_same_peer_again()
    {
        using var identity = PrivateIdentity.Create(new SeededEntropy(1));
        byte[] bytes = new byte[PrivateIdentity.Size];
        identity.Export(bytes);

        using var again = PrivateIdentity.Import(bytes);

        Assert.Equal(identity.Public, again.Public);
        Assert.Equal(identity.PeerId, again.PeerId);
        Assert.DoesNotContain(Convert.ToHexStringLower(bytes), identity.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    [Trait("Spec", "ID-03")]
    public void A_peer_id_has_one_text_form_in_groups()
    {
        using var identity = PrivateIdentity.Create(new SeededEntropy(1));
        string text = identity.PeerId.ToString();

        Assert.Matches("^([a-z2-7]{4}-){12}[a-z2-7]{4}$", text);
        Assert.True(PeerId.TryParse(text, out PeerId read));
        Assert.Equal(identity.PeerId, read);
        Assert.True(PeerId.TryParse(text.Replace("-", "", StringComparison.Ordinal), out _));
        Assert.False(PeerId.TryParse(text[..^1], out _));
        Assert.False(PeerId.TryParse(text.ToUpperInvariant(), out _));
        Assert.False(PeerId.TryParse(null, out _));
        Assert.StartsWith(identity.PeerId.ToShortString(), text, StringComparison.Ordinal);
    }

    [Fact]
    public void Base32_has_one_text_for_each_byte_string()
    {
        var entropy = new SeededEntropy(5);
        for (int length = 0; length < 40; length++)
        {
            byte[] bytes = entropy.Take(length);
            string text = Base32.Encode(bytes);
            Assert.True(Base32.TryDecode(text, out byte[] decoded));
            Assert.Equal(bytes, decoded);
            foreach (char last in "abcdefghijklmnopqrstuvwxyz234567".Where(last => length > 0 && last != text[^1]))
            {
                Assert.False(Base32.TryDecode(text[..^1] + last, out decoded) && decoded.AsSpan().SequenceEqual(bytes));
            }
        }

        Assert.Equal("mzxw6ytboi", Base32.Encode("foobar"u8)); // RFC 4648 section 10
    }

    [Theory]
    [InlineData("rendezvous.example:3478", "rendezvous.example:3478")]
    [InlineData("Rendezvous.Example:3478", "rendezvous.example:3478")]
    [InlineData("192.0.2.1:1", "192.0.2.1:1")]
    [InlineData("[2001:db8::1]:443", "[2001:db8::1]:443")]
    [InlineData("my_host-1:65535", "my_host-1:65535")]
    [InlineData("host", null)]
    [InlineData("host:", null)]
    [InlineData("host:0", null)]
    [InlineData("host:65536", null)]
    [InlineData("host:-1", null)]
    [InlineData(":5", null)]
    [InlineData("-host:5", null)]
    [InlineData("ho st:5", null)]
    [InlineData("2001:db8::1:5", null)]
    [InlineData("[1.2.3.4]:5", null)]
    [InlineData(null, null)]
    public void A_server_name_is_a_host_and_a_port(string? text, string? expected) =>
        Assert.Equal(expected, ServerName.TryParse(text, out ServerName name) ? name.ToString() : null);
}
