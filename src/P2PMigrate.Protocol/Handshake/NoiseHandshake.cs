using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>
/// The HandshakeState object of the Noise specification for the one pattern that we speak, token by token:
/// <code>
/// IKpsk2:
///   &lt;- s
///   ...
///   -> e, es, s, ss
///   &lt;- e, ee, se, psk
/// </code>
/// One object plays one side of one handshake: the initiator writes 1 and reads 2, the responder reads 1 and writes 2.
/// It owns the ephemeral key and disposes it; the static key stays the caller's.
/// </summary>
/// <remarks>spec: HS-10, HS-11, HS-12.</remarks>
internal sealed class NoiseHandshake : IDisposable
{
    /// <summary>Noise's name for all of it.</summary>
    public const string ProtocolName = "Noise_IKpsk2_25519_ChaChaPoly_SHA256"; // spec: HS-10

    /// <summary>Bytes that message 1 adds to its payload: e, the sealed s, the tag of the payload.</summary>
    public const int Message1Overhead = KeySize + KeySize + SymmetricState.TagSize + SymmetricState.TagSize;

    /// <summary>Bytes that message 2 adds to its payload: e and the tag of the payload.</summary>
    public const int Message2Overhead = KeySize + SymmetricState.TagSize;

    private const int KeySize = PublicIdentity.Size;

    private readonly PrivateIdentity _static;
    private readonly PrivateIdentity _ephemeral;
    private readonly SymmetricState _state = new(ProtocolName);
    private PublicIdentity? _remoteStatic;
    private PublicIdentity? _remoteEphemeral;

    private NoiseHandshake(PrivateIdentity ownStatic, PrivateIdentity ephemeral, PublicIdentity? responder, ReadOnlySpan<byte> prologue)
    {
        _static = ownStatic;
        _ephemeral = ephemeral;
        _remoteStatic = responder;
        _state.MixHash(prologue);
        _state.MixHash((responder ?? ownStatic.Public).Bytes); // the pre-message "<- s"
    }

    /// <summary>The peer's static key: known from the start to the initiator, after message 1 to the responder.</summary>
    public PublicIdentity? RemoteStatic => _remoteStatic;

    /// <summary>The handshake hash.</summary>
    public ReadOnlySpan<byte> Transcript => _state.Transcript;

    /// <summary>The side that starts. Takes the ephemeral key over.</summary>
    public static NoiseHandshake Initiate(PrivateIdentity ownStatic, PrivateIdentity ephemeral, PublicIdentity responder, ReadOnlySpan<byte> prologue) =>
        new(ownStatic, ephemeral, responder, prologue);

    /// <summary>The side that answers. Takes the ephemeral key over.</summary>
    public static NoiseHandshake Respond(PrivateIdentity ownStatic, PrivateIdentity ephemeral, ReadOnlySpan<byte> prologue) =>
        new(ownStatic, ephemeral, null, prologue);

    /// <summary>Initiator: writes <see cref="Message1Overhead"/> bytes more than the payload. False for a responder key of low order.</summary>
    public bool TryWriteMessage1(ReadOnlySpan<byte> payload, Span<byte> message)
    {
        WriteEphemeral(message);
        if (!TryMixSecret(_ephemeral, _remoteStatic)) // es
        {
            return false;
        }

        _state.EncryptAndHash(_static.Public.Bytes, message.Slice(KeySize, KeySize + SymmetricState.TagSize)); // s
        if (!TryMixSecret(_static, _remoteStatic)) // ss
        {
            return false;
        }

        _state.EncryptAndHash(payload, message[(2 * KeySize + SymmetricState.TagSize)..]);
        return true;
    }

    /// <summary>Responder: reads message 1. False for anything that nobody encrypted for this key.</summary>
    public bool TryReadMessage1(ReadOnlySpan<byte> message, Span<byte> payload)
    {
        Span<byte> remoteStatic = stackalloc byte[KeySize];
        return TryReadEphemeral(message)
            && TryMixSecret(_static, _remoteEphemeral) // es
            && _state.TryDecryptAndHash(message.Slice(KeySize, KeySize + SymmetricState.TagSize), remoteStatic) // s
            && PublicIdentity.TryCreate(remoteStatic, out _remoteStatic)
            && TryMixSecret(_static, _remoteStatic) // ss
            && _state.TryDecryptAndHash(message[(2 * KeySize + SymmetricState.TagSize)..], payload);
    }

    /// <summary>Responder: writes <see cref="Message2Overhead"/> bytes more than the payload. False for an initiator key of low order.</summary>
    public bool TryWriteMessage2(ReadOnlySpan<byte> preSharedKey, ReadOnlySpan<byte> payload, Span<byte> message)
    {
        WriteEphemeral(message);
        if (!TryMixSecret(_ephemeral, _remoteEphemeral) || !TryMixSecret(_ephemeral, _remoteStatic)) // ee, se
        {
            return false;
        }

        _state.MixKeyAndHash(preSharedKey); // psk
        _state.EncryptAndHash(payload, message[KeySize..]);
        return true;
    }

    /// <summary>
    /// Initiator: reads message 2. False for anything but the responder's answer; the state is then as it was, so that
    /// a forged answer does not keep the true one out.
    /// </summary>
    public bool TryReadMessage2(ReadOnlySpan<byte> preSharedKey, ReadOnlySpan<byte> message, Span<byte> payload)
    {
        Span<byte> checkpoint = stackalloc byte[SymmetricState.CheckpointSize];
        _state.Save(checkpoint);
        bool isAuthentic = TryReadEphemeral(message)
            && TryMixSecret(_ephemeral, _remoteEphemeral) // ee
            && TryMixSecret(_static, _remoteEphemeral) // se
            && TryDecryptWithPreSharedKey(preSharedKey, message[KeySize..], payload);
        if (!isAuthentic)
        {
            _state.Restore(checkpoint); // spec: HS-12
        }

        checkpoint.Clear();
        return isAuthentic;
    }

    /// <summary>After both messages: one secret for each direction, the initiator's first.</summary>
    public void Split(Span<byte> initiatorSecret, Span<byte> responderSecret) => _state.Split(initiatorSecret, responderSecret);

    /// <inheritdoc/>
    public void Dispose()
    {
        _ephemeral.Dispose();
        _state.Dispose();
    }

    private bool TryDecryptWithPreSharedKey(ReadOnlySpan<byte> preSharedKey, ReadOnlySpan<byte> ciphertext, Span<byte> payload)
    {
        _state.MixKeyAndHash(preSharedKey); // psk
        return _state.TryDecryptAndHash(ciphertext, payload);
    }

    private void WriteEphemeral(Span<byte> message)
    {
        _ephemeral.Public.Bytes.CopyTo(message);
        MixEphemeral(_ephemeral.Public);
    }

    private bool TryReadEphemeral(ReadOnlySpan<byte> message)
    {
        if (!PublicIdentity.TryCreate(message[..KeySize], out _remoteEphemeral))
        {
            return false;
        }

        MixEphemeral(_remoteEphemeral);
        return true;
    }

    // In patterns with a pre-shared key an ephemeral key is mixed into the chaining key too (Noise section 9.2).
    private void MixEphemeral(PublicIdentity ephemeral)
    {
        _state.MixHash(ephemeral.Bytes);
        _state.MixKey(ephemeral.Bytes);
    }

    private bool TryMixSecret(PrivateIdentity own, [NotNullWhen(true)] PublicIdentity? remote)
    {
        Span<byte> secret = stackalloc byte[KeySize];
        if (remote is null || !own.TryAgree(remote, secret))
        {
            return false;
        }

        _state.MixKey(secret);
        secret.Clear();
        return true;
    }
}
