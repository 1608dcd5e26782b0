using System.Runtime.InteropServices;

namespace P2PMigrate.Protocol.Protection;

/// <summary>
/// The functions of libsodium that a packet needs, as they are. The library is NSec's, which also makes it ready.
/// All that seal have the same parameters, and all that open: ciphertext, its length back, plaintext, header, nothing, nonce, key.
/// </summary>
internal static unsafe partial class Sodium
{
    private const string Library = "libsodium";

    [LibraryImport(Library, EntryPoint = "crypto_aead_aes256gcm_statebytes")]
    public static partial nuint Aes256GcmStateLength();

    [LibraryImport(Library, EntryPoint = "crypto_aead_aes256gcm_beforenm")]
    public static partial int ExpandAes256Gcm(byte* state, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_aead_aes256gcm_encrypt_afternm")]
    public static partial int SealAes256Gcm(
        byte* ciphertext, ulong* ciphertextLength, byte* plaintext, ulong plaintextLength, byte* header, ulong headerLength, byte* none, byte* nonce, byte* state);

    [LibraryImport(Library, EntryPoint = "crypto_aead_aes256gcm_decrypt_afternm")]
    public static partial int OpenAes256Gcm(
        byte* plaintext, ulong* plaintextLength, byte* none, byte* ciphertext, ulong ciphertextLength, byte* header, ulong headerLength, byte* nonce, byte* state);

    [LibraryImport(Library, EntryPoint = "crypto_aead_aegis128l_encrypt")]
    public static partial int SealAegis128L(
        byte* ciphertext, ulong* ciphertextLength, byte* plaintext, ulong plaintextLength, byte* header, ulong headerLength, byte* none, byte* nonce, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_aead_aegis128l_decrypt")]
    public static partial int OpenAegis128L(
        byte* plaintext, ulong* plaintextLength, byte* none, byte* ciphertext, ulong ciphertextLength, byte* header, ulong headerLength, byte* nonce, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_aead_chacha20poly1305_ietf_encrypt")]
    public static partial int SealChaCha20Poly1305(
        byte* ciphertext, ulong* ciphertextLength, byte* plaintext, ulong plaintextLength, byte* header, ulong headerLength, byte* none, byte* nonce, byte* key);

    [LibraryImport(Library, EntryPoint = "crypto_aead_chacha20poly1305_ietf_decrypt")]
    public static partial int OpenChaCha20Poly1305(
        byte* plaintext, ulong* plaintextLength, byte* none, byte* ciphertext, ulong ciphertextLength, byte* header, ulong headerLength, byte* nonce, byte* key);

    [LibraryImport(Library, EntryPoint = "sodium_malloc")]
    public static partial byte* Allocate(nuint length);

    [LibraryImport(Library, EntryPoint = "sodium_free")]
    public static partial void Free(byte* memory);
}
