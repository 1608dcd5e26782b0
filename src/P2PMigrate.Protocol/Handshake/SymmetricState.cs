using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using NSec.Cryptography;
using HashAlgorithm = NSec.Cryptography.HashAlgorithm;
using IncrementalHash = NSec.Cryptography.IncrementalHash;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>
/// The SymmetricState object of the Noise specification (revision 34, section 5.2) for ChaChaPoly and SHA256, with its
/// CipherState inside: a chaining key that collects secrets, a hash that collects everything said, and the current key.
/// Disposing wipes the secrets.
/// </summary>
internal sealed class SymmetricState : IDisposable
{
    /// <summary>HASHLEN, and the size of all keys.</summary>
    public const int HashSize = 32;

    /// <summary>Bytes that <see cref="EncryptAndHash"/> adds.</summary>
    public const int TagSize = 16;

    /// <summary>Bytes of a checkpoint.</summary>
    public const int CheckpointSize = 2 * HashSize;

    private const int NonceSize = 12;

    private static readonly AeadAlgorithm s_cipher = AeadAlgorithm.ChaCha20Poly1305;
    private static readonly HashAlgorithm s_hash = HashAlgorithm.Sha256;

    private readonly byte[] _chainingKey = new byte[HashSize];
    private readonly byte[] _transcript = new byte[HashSize];
    private Key? _key;
    private ulong _nonce;

    /// <summary>InitializeSymmetric: a name of at most HASHLEN bytes is padded with zeros, a longer one is hashed.</summary>
    public SymmetricState(string protocolName)
    {
        byte[] name = Encoding.ASCII.GetBytes(protocolName);
        if (name.Length <= HashSize)
        {
            name.CopyTo(_transcript, 0);
        }
        else
        {
            s_hash.Hash(name, _transcript);
        }

        _transcript.CopyTo(_chainingKey, 0);
    }

    /// <summary>GetHandshakeHash: the hash of everything so far.</summary>
    public ReadOnlySpan<byte> Transcript => _transcript;

    /// <summary>MixKey.</summary>
    public void MixKey(ReadOnlySpan<byte> inputKeyMaterial)
    {
        Span<byte> output = stackalloc byte[2 * HashSize];
        DeriveFromChain(inputKeyMaterial, output);
        output[..HashSize].CopyTo(_chainingKey);
        SetKey(output[HashSize..]);
        CryptographicOperations.ZeroMemory(output);
    }

    /// <summary>MixHash.</summary>
    public void MixHash(ReadOnlySpan<byte> data)
    {
        IncrementalHash.Initialize(s_hash, out IncrementalHash state);
        IncrementalHash.Update(ref state, _transcript);
        IncrementalHash.Update(ref state, data);
        IncrementalHash.Finalize(ref state, _transcript);
    }

    /// <summary>MixKeyAndHash: how a pre-shared key enters.</summary>
    public void MixKeyAndHash(ReadOnlySpan<byte> inputKeyMaterial)
    {
        Span<byte> output = stackalloc byte[3 * HashSize];
        DeriveFromChain(inputKeyMaterial, output);
        output[..HashSize].CopyTo(_chainingKey);
        MixHash(output.Slice(HashSize, HashSize));
        SetKey(output[(2 * HashSize)..]);
        CryptographicOperations.ZeroMemory(output);
    }

    /// <summary>EncryptAndHash: <paramref name="ciphertext"/> is <see cref="TagSize"/> bytes longer than the plaintext.</summary>
    public void EncryptAndHash(ReadOnlySpan<byte> plaintext, Span<byte> ciphertext)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        s_cipher.Encrypt(_key!, NextNonce(nonce), _transcript, plaintext, ciphertext);
        MixHash(ciphertext);
    }

    /// <summary>DecryptAndHash: false, with the state spoiled, for what the peer did not encrypt.</summary>
    public bool TryDecryptAndHash(ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        if (!s_cipher.Decrypt(_key!, NextNonce(nonce), _transcript, ciphertext, plaintext))
        {
            return false;
        }

        MixHash(ciphertext);
        return true;
    }

    /// <summary>Copies what a message that turns out to be forged would spoil: <see cref="CheckpointSize"/> bytes.</summary>
    public void Save(Span<byte> checkpoint)
    {
        _chainingKey.CopyTo(checkpoint);
        _transcript.CopyTo(checkpoint[HashSize..]);
    }

    /// <summary>Goes back to a saved state. The next token must be one that sets a new key; all ephemeral keys do.</summary>
    public void Restore(ReadOnlySpan<byte> checkpoint)
    {
        checkpoint[..HashSize].CopyTo(_chainingKey);
        checkpoint.Slice(HashSize, HashSize).CopyTo(_transcript);
    }

    /// <summary>Split: one secret for each direction, the initiator's first.</summary>
    public void Split(Span<byte> initiatorSecret, Span<byte> responderSecret)
    {
        Span<byte> output = stackalloc byte[2 * HashSize];
        DeriveFromChain([], output);
        output[..HashSize].CopyTo(initiatorSecret);
        output[HashSize..].CopyTo(responderSecret);
        CryptographicOperations.ZeroMemory(output);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_chainingKey);
        _key?.Dispose();
    }

    // Noise's HKDF is RFC 5869's without info. Its extract step is spelled out, because libsodium's binding and OpenSSL
    // both refuse the empty input of Split.
    private void DeriveFromChain(ReadOnlySpan<byte> inputKeyMaterial, Span<byte> output)
    {
        Span<byte> extracted = stackalloc byte[HashSize];
        HMACSHA256.HashData(_chainingKey, inputKeyMaterial, extracted);
        KeyDerivationAlgorithm.HkdfSha256.Expand(extracted, [], output);
        CryptographicOperations.ZeroMemory(extracted);
    }

    private void SetKey(ReadOnlySpan<byte> key)
    {
        _key?.Dispose();
        _key = Key.Import(s_cipher, key, KeyBlobFormat.RawSymmetricKey);
        _nonce = 0;
    }

    private Span<byte> NextNonce(Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(nonce[4..], _nonce++);
        return nonce;
    }
}
