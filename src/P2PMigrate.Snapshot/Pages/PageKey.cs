using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using NSec.Cryptography;

namespace P2PMigrate.Snapshot.Pages;

/// <summary>
/// The secret of one job under which pages get their names: who does not have it cannot make two pages of one name. Safe for use from
/// several threads.
/// </summary>
// spec: MEM-01
public sealed class PageKey : IDisposable
{
    /// <summary>Bytes of a key.</summary>
    public const int Size = 16;

    private static readonly AeadAlgorithm s_algorithm = AeadAlgorithm.Aegis128L;
    private static readonly byte[] s_nonce = new byte[s_algorithm.NonceSize];

    private readonly Key _key;

    private PageKey(Key key) => _key = key;

    /// <summary>Draws a key.</summary>
    public static PageKey Create() =>
        new(Key.Create(s_algorithm, new KeyCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport }));

    /// <summary>The key that the peer drew; false when these are not <see cref="Size"/> bytes.</summary>
    public static bool TryImport(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PageKey? key)
    {
        var parameters = new KeyCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport };
        key = bytes.Length == Size && Key.TryImport(s_algorithm, bytes, KeyBlobFormat.RawSymmetricKey, out Key? imported, parameters) ? new PageKey(imported!) : null;
        return key is not null;
    }

    /// <summary>The key's bytes, for the peer.</summary>
    public byte[] Export() => _key.Export(KeyBlobFormat.RawSymmetricKey);

    /// <summary>The name of one page.</summary>
    public PageName NameOf(ReadOnlySpan<byte> page)
    {
        Debug.Assert(page.Length == PageRun.PageSize, "one page");
        if (!page.ContainsAnyExcept((byte)0))
            return default;
        Span<byte> tag = stackalloc byte[32];
        s_algorithm.Encrypt(_key, s_nonce, page, default, tag);
        return PageName.Read(tag);
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();
}
