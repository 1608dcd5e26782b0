using System.Text.Json;
using NSec.Cryptography;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Tests.Handshake;

[Trait("Spec", "HS-10")]
public sealed class NoiseHandshakeTests
{
    private static readonly JsonElement s_vector = JsonDocument
        .Parse(File.ReadAllText(SpecFile.Vectors("noise-ikpsk2.json")))
        .RootElement.GetProperty("vectors")[0];

    [Fact]
    public void The_published_vector_is_met_to_the_last_byte()
    {
        Assert.Equal(NoiseHandshake.ProtocolName, s_vector.GetProperty("protocol_name").GetString());
        using NoiseHandshake initiator = Initiator(Hex("init_psks", 0), out byte[] psk);
        using NoiseHandshake responder = Responder();

        byte[] message1 = new byte[Payload(0).Length + NoiseHandshake.Message1Overhead];
        Assert.True(initiator.TryWriteMessage1(Payload(0), message1));
        Assert.Equal(Ciphertext(0), message1);
        byte[] payload1 = new byte[Payload(0).Length];
        Assert.True(responder.TryReadMessage1(message1, payload1));
        Assert.Equal(Payload(0), payload1);

        byte[] message2 = new byte[Payload(1).Length + NoiseHandshake.Message2Overhead];
        Assert.True(responder.TryWriteMessage2(psk, Payload(1), message2));
        Assert.Equal(Ciphertext(1), message2);
        byte[] payload2 = new byte[Payload(1).Length];
        Assert.True(initiator.TryReadMessage2(psk, message2, payload2));
        Assert.Equal(Payload(1), payload2);

        Assert.Equal(Hex("handshake_hash"), initiator.Transcript);
        Assert.Equal(Hex("handshake_hash"), responder.Transcript);
        AssertTransportMessages(initiator, responder);
    }

    [Fact]
    [Trait("Spec", "HS-12")]
    public void A_forged_answer_does_not_keep_the_true_one_out()
    {
        using NoiseHandshake initiator = Initiator(Hex("init_psks", 0), out byte[] psk);
        byte[] message1 = new byte[Payload(0).Length + NoiseHandshake.Message1Overhead];
        initiator.TryWriteMessage1(Payload(0), message1);
        byte[] payload = new byte[Payload(1).Length];

        for (int at = 0; at < Ciphertext(1).Length; at++)
        {
            byte[] forged = Ciphertext(1);
            forged[at] ^= 1;
            Assert.False(initiator.TryReadMessage2(psk, forged, payload));
        }

        Assert.True(initiator.TryReadMessage2(psk, Ciphertext(1), payload));
    }

    [Fact]
    public void Any_changed_bit_of_message_1_is_noticed()
    {
        for (int at = 0; at < Ciphertext(0).Length; at++)
        {
            byte[] forged = Ciphertext(0);
            forged[at] ^= 0x40;
            using NoiseHandshake responder = Responder();
            Assert.False(responder.TryReadMessage1(forged, new byte[Payload(0).Length]));
        }
    }

    [Fact]
    public void A_key_of_low_order_is_refused_by_both_sides()
    {
        byte[] lowOrder = new byte[32];
        lowOrder[0] = 1;
        Assert.True(PublicIdentity.TryCreate(lowOrder, out PublicIdentity? nobody));
        var entropy = new SeededEntropy(1);
        using var identity = PrivateIdentity.Create(entropy);
        using var initiator = NoiseHandshake.Initiate(identity, PrivateIdentity.Create(entropy), nobody, []);
        Assert.False(initiator.TryWriteMessage1([], new byte[NoiseHandshake.Message1Overhead]));

        using var responder = NoiseHandshake.Respond(identity, PrivateIdentity.Create(entropy), []);
        byte[] message = new byte[NoiseHandshake.Message1Overhead];
        lowOrder.CopyTo(message, 0);
        Assert.False(responder.TryReadMessage1(message, []));
    }

    private static void AssertTransportMessages(NoiseHandshake initiator, NoiseHandshake responder)
    {
        byte[] fromInitiator = new byte[32], fromResponder = new byte[32], other1 = new byte[32], other2 = new byte[32];
        initiator.Split(fromInitiator, fromResponder);
        responder.Split(other1, other2);
        Assert.Equal((Convert.ToHexString(fromInitiator), Convert.ToHexString(fromResponder)), (Convert.ToHexString(other1), Convert.ToHexString(other2)));

        for (int index = 2; index < s_vector.GetProperty("messages").GetArrayLength(); index++)
        {
            using var key = Key.Import(AeadAlgorithm.ChaCha20Poly1305, index % 2 == 0 ? fromInitiator : fromResponder, KeyBlobFormat.RawSymmetricKey);
            byte[] nonce = new byte[12];
            nonce[4] = (byte)((index - 2) / 2);
            Assert.Equal(Ciphertext(index), AeadAlgorithm.ChaCha20Poly1305.Encrypt(key, nonce, [], Payload(index)));
        }
    }

    private static NoiseHandshake Initiator(byte[] preSharedKey, out byte[] psk)
    {
        psk = preSharedKey;
        Assert.True(PublicIdentity.TryCreate(Hex("init_remote_static"), out PublicIdentity? responder));
        return NoiseHandshake.Initiate(PrivateIdentity.Import(Hex("init_static")), PrivateIdentity.Import(Hex("init_ephemeral")), responder, Hex("init_prologue"));
    }

    private static NoiseHandshake Responder() =>
        NoiseHandshake.Respond(PrivateIdentity.Import(Hex("resp_static")), PrivateIdentity.Import(Hex("resp_ephemeral")), Hex("resp_prologue"));

    private static byte[] Payload(int message) => Convert.FromHexString(s_vector.GetProperty("messages")[message].GetProperty("payload").GetString()!);

    private static byte[] Ciphertext(int message) => Convert.FromHexString(s_vector.GetProperty("messages")[message].GetProperty("ciphertext").GetString()!);

    private static byte[] Hex(string name) => Convert.FromHexString(s_vector.GetProperty(name).GetString()!);

    private static byte[] Hex(string name, int index) => Convert.FromHexString(s_vector.GetProperty(name)[index].GetString()!);
}
