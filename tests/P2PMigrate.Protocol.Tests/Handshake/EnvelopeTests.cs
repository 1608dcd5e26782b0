using System.Text.Json;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Tests.Handshake;

[Trait("Spec", "DEP-31")]
public sealed class EnvelopeTests
{
    private static readonly JsonElement s_vectors = JsonDocument.Parse(File.ReadAllText(SpecFile.Vectors("noise-x.json"))).RootElement.GetProperty("vectors");

    private readonly SeededEntropy _entropy = new(7);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_published_vectors_are_met_to_the_last_byte(int number)
    {
        JsonElement vector = s_vectors[number];
        byte[] Hex(string name) => Convert.FromHexString(vector.GetProperty(name).GetString()!);
        byte[] Message(string name) => Convert.FromHexString(vector.GetProperty("messages")[0].GetProperty(name).GetString()!);
        Assert.Equal(Envelope.ProtocolName, vector.GetProperty("protocol_name").GetString());
        using PrivateIdentity sender = PrivateIdentity.Import(Hex("init_static")), ephemeral = PrivateIdentity.Import(Hex("init_ephemeral")), recipient = PrivateIdentity.Import(Hex("resp_static"));
        Assert.Equal(Hex("init_remote_static"), recipient.Public.Bytes);

        byte[] envelope = new byte[Message("payload").Length + Envelope.Overhead];
        Assert.True(Envelope.TryWrite(sender, ephemeral, recipient.Public, Hex("init_prologue"), Message("payload"), envelope));
        Assert.Equal(Message("ciphertext"), envelope);

        Assert.True(Envelope.TryOpen(recipient, Hex("resp_prologue"), envelope, out PublicIdentity? from, out byte[]? payload));
        Assert.Equal(Message("payload"), payload);
        Assert.Equal(sender.Public, from);
    }

    [Fact]
    public void Two_envelopes_of_one_payload_have_nothing_in_common()
    {
        using PrivateIdentity sender = Peer(), recipient = Peer();
        byte[] one = Seal(sender, recipient.Public, "p", [1, 2, 3]), other = Seal(sender, recipient.Public, "p", [1, 2, 3]);
        Assert.NotEqual(one[..32], other[..32]);
        Assert.NotEqual(one[32..80], other[32..80]);
        Assert.NotEqual(one[80..], other[80..]);
    }

    [Fact]
    public void Any_changed_bit_any_missing_byte_and_any_byte_too_many_is_noticed()
    {
        using PrivateIdentity sender = Peer(), recipient = Peer();
        byte[] envelope = Seal(sender, recipient.Public, "p", [1, 2, 3]);
        for (int bit = 0; bit < envelope.Length * 8; bit++)
        {
            byte[] changed = [.. envelope];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(Envelope.TryOpen(recipient, "p"u8, changed, out _, out _), $"bit {bit}");
        }

        for (int length = 0; length < envelope.Length; length++)
            Assert.False(Envelope.TryOpen(recipient, "p"u8, envelope.AsSpan(0, length), out _, out _), $"{length} bytes");
        Assert.False(Envelope.TryOpen(recipient, "p"u8, [.. envelope, 0], out _, out _));
    }

    [Fact]
    public void Neither_another_peer_nor_another_purpose_opens_it()
    {
        using PrivateIdentity sender = Peer(), recipient = Peer(), other = Peer();
        byte[] envelope = Seal(sender, recipient.Public, "p", [1, 2, 3]);
        Assert.False(Envelope.TryOpen(other, "p"u8, envelope, out _, out _));
        Assert.False(Envelope.TryOpen(sender, "p"u8, envelope, out _, out _));
        Assert.False(Envelope.TryOpen(recipient, "q"u8, envelope, out _, out _));
    }

    [Fact]
    public void A_peer_can_seal_for_itself()
    {
        using PrivateIdentity self = Peer();
        Assert.True(Envelope.TryOpen(self, "p"u8, Seal(self, self.Public, "p", [5]), out PublicIdentity? from, out byte[]? payload));
        Assert.Equal((self.Public, 5), (from, payload.Single()));
    }

    [Fact]
    [Trait("Spec", "ID-04")]
    public void Nothing_is_sealed_for_a_key_that_nobody_owns()
    {
        byte[] lowOrder = new byte[32];
        lowOrder[0] = 1;
        Assert.True(PublicIdentity.TryCreate(lowOrder, out PublicIdentity? nobody));
        using PrivateIdentity sender = Peer();
        Assert.False(Envelope.TrySeal(sender, nobody, [], [], _entropy, out _));
    }

    private PrivateIdentity Peer() => PrivateIdentity.Create(_entropy);

    private byte[] Seal(PrivateIdentity sender, PublicIdentity recipient, string prologue, byte[] payload)
    {
        Assert.True(Envelope.TrySeal(sender, recipient, System.Text.Encoding.ASCII.GetBytes(prologue), payload, _entropy, out byte[]? envelope));
        return envelope;
    }
}
