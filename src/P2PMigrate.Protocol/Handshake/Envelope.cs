using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>
/// A message to a peer that is not there to answer: only the recipient can read it, and learns for certain who sealed it. It is the only message of Noise's one-way pattern X:
/// <code>
/// X:
///   &lt;- s
///   ...
///   -> e, es, s, ss
/// </code>
/// Whoever gets hold of the recipient's private key later can read it too, for the recipient took no part.
/// </summary>
/// <remarks>spec: DEP-31.</remarks>
public static class Envelope
{
    /// <summary>Noise's name for all of it.</summary>
    public const string ProtocolName = "Noise_X_25519_ChaChaPoly_SHA256"; // spec: DEP-31

    /// <summary>Bytes that an envelope has more than its payload: e, the sealed s, the tag of the payload.</summary>
    public const int Overhead = KeySize + SealedKeySize + SymmetricState.TagSize;

    private const int KeySize = PublicIdentity.Size;
    private const int SealedKeySize = KeySize + SymmetricState.TagSize;

    /// <summary>
    /// Seals <paramref name="payload"/> for <paramref name="recipient"/>; whoever opens it has to know the same <paramref name="prologue"/>. False for a recipient's key of low order, which
    /// nobody owns.
    /// </summary>
    public static bool TrySeal(
        PrivateIdentity sender, PublicIdentity recipient, ReadOnlySpan<byte> prologue, ReadOnlySpan<byte> payload, IEntropy entropy, [NotNullWhen(true)] out byte[]? envelope)
    {
        using PrivateIdentity ephemeral = PrivateIdentity.Create(entropy);
        byte[] message = new byte[payload.Length + Overhead];
        envelope = TryWrite(sender, ephemeral, recipient, prologue, payload, message) ? message : null;
        return envelope is not null;
    }

    /// <summary>Opens an envelope for <paramref name="self"/>; false for anything that was not sealed for it, with this prologue.</summary>
    public static bool TryOpen(
        PrivateIdentity self, ReadOnlySpan<byte> prologue, ReadOnlySpan<byte> envelope, [NotNullWhen(true)] out PublicIdentity? sender, [NotNullWhen(true)] out byte[]? payload)
    {
        sender = null;
        payload = null;
        if (envelope.Length < Overhead || !PublicIdentity.TryCreate(envelope[..KeySize], out PublicIdentity? ephemeral))
        {
            return false;
        }

        byte[] opened = new byte[envelope.Length - Overhead];
        Span<byte> senderKey = stackalloc byte[KeySize];
        using SymmetricState state = Begin(self.Public, prologue, ephemeral);
        if (!TryMixSecret(state, self, ephemeral) // es
            || !state.TryDecryptAndHash(envelope.Slice(KeySize, SealedKeySize), senderKey) // s
            || !PublicIdentity.TryCreate(senderKey, out PublicIdentity? claimed)
            || !TryMixSecret(state, self, claimed) // ss
            || !state.TryDecryptAndHash(envelope[(KeySize + SealedKeySize)..], opened))
        {
            return false;
        }

        (sender, payload) = (claimed, opened);
        return true;
    }

    /// <summary>The same as <see cref="TrySeal"/> with a given ephemeral key, for vectors.</summary>
    internal static bool TryWrite(PrivateIdentity sender, PrivateIdentity ephemeral, PublicIdentity recipient, ReadOnlySpan<byte> prologue, ReadOnlySpan<byte> payload, Span<byte> message)
    {
        using SymmetricState state = Begin(recipient, prologue, ephemeral.Public);
        ephemeral.Public.Bytes.CopyTo(message);
        if (!TryMixSecret(state, ephemeral, recipient)) // es
        {
            return false;
        }

        state.EncryptAndHash(sender.Public.Bytes, message.Slice(KeySize, SealedKeySize)); // s
        if (!TryMixSecret(state, sender, recipient)) // ss
        {
            return false;
        }

        state.EncryptAndHash(payload, message[(KeySize + SealedKeySize)..]);
        return true;
    }

    private static SymmetricState Begin(PublicIdentity recipient, ReadOnlySpan<byte> prologue, PublicIdentity ephemeral)
    {
        var state = new SymmetricState(ProtocolName);
        state.MixHash(prologue);
        state.MixHash(recipient.Bytes); // the pre-message "<- s"
        state.MixHash(ephemeral.Bytes); // e
        return state;
    }

    private static bool TryMixSecret(SymmetricState state, PrivateIdentity own, PublicIdentity remote)
    {
        Span<byte> secret = stackalloc byte[KeySize];
        if (!own.TryAgree(remote, secret))
        {
            return false;
        }

        state.MixKey(secret);
        secret.Clear();
        return true;
    }
}
