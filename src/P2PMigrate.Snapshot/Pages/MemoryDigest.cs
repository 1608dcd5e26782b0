using System.Security.Cryptography;

namespace P2PMigrate.Snapshot.Pages;

/// <summary>The digest of all memory of a dump, however its pages travelled: both sides compute it and compare. One owner.</summary>
// spec: MEM-04
public sealed class MemoryDigest : IDisposable
{
    /// <summary>Bytes of the digest.</summary>
    public const int Size = 32;

    private const int BatchNames = 256;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _names = new byte[BatchNames * PageName.Size];
    private int _waiting;

    /// <summary>A record that opens a space or a run.</summary>
    public void AddRecord(ReadOnlySpan<byte> record)
    {
        Flush();
        _hash.AppendData(record);
    }

    /// <summary>The next page of the run.</summary>
    public void AddPage(PageName name)
    {
        if (_waiting == _names.Length)
            Flush();
        name.Write(_names.AsSpan(_waiting));
        _waiting += PageName.Size;
    }

    /// <summary>The digest of all that was added.</summary>
    public byte[] Finish()
    {
        Flush();
        return _hash.GetHashAndReset();
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    private void Flush()
    {
        _hash.AppendData(_names, 0, _waiting);
        _waiting = 0;
    }
}
