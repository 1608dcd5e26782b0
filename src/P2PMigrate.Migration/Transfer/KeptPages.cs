using System.Security.Cryptography;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// What a target has of a job's memory ahead of the freeze: the key of page names, the pages, and whose turn it is. Streams of a
/// lying source may come at the same time, so everything here is safe for use from several threads.
/// </summary>
// spec: MIG-27, MIG-80
internal sealed class KeptPages(string directory, long claimedBytes, Func<long>? freeBytes = null) : IDisposable
{
    /// <summary>What may be kept beyond the claim, in bytes.</summary>
    public const long Allowance = 64 << 20;

    private readonly Func<long> _freeBytes = freeBytes ?? (() => new DriveInfo(directory).AvailableFreeSpace);
    private readonly Lock _lock = new();
    private readonly ContentBudget _budget = ContentBudget.OfBytes(BytesFor(claimedBytes));
    private PageKey? _key;               // guarded by _lock, like all below
    private PageStore? _store;
    private int _nextRound;
    private bool _isBusy;
    private bool _isDumping;

    /// <summary>What is kept at most of a container that claims so much: once its memory, for the image takes that much again.</summary>
    public static long BytesFor(long claimedBytes) => claimedBytes + Allowance;

    /// <summary>
    /// Is there room on the disk for <paramref name="bytes"/> more, and then still for the image? The source hears of it when there is not; the pages are not needed.
    /// </summary>
    // spec: MIG-87
    public bool HasRoom(long bytes) => _freeBytes() >= claimedBytes + bytes;

    /// <summary>A live round begins. Returns the store that it fills.</summary>
    public PageStore Begin(StreamHeader header)
    {
        lock (_lock)
        {
            PeerFault.Require(!_isBusy && !_isDumping && header.Round == _nextRound, "sent a round of memory when it was not its turn");
            TakeKey(header);
            _isBusy = true;
            return _store ??= new PageStore(directory, _key!);
        }
    }

    /// <summary>So many bytes more are kept.</summary>
    public void Spend(long bytes) => _budget.Spend(bytes);

    /// <summary>The live round is over.</summary>
    public void End()
    {
        lock (_lock)
            (_isBusy, _nextRound) = (false, _nextRound + 1);
    }

    /// <summary>The dump begins; there are no live rounds any more. The store is null when there was none.</summary>
    public (PageKey Key, PageStore? Store) BeginDump(StreamHeader header)
    {
        lock (_lock)
        {
            PeerFault.Require(!_isBusy, "sent a dump while a round of memory was under way");
            TakeKey(header);
            _isDumping = true;
            return (_key!, _store);
        }
    }

    /// <summary>The dump is complete; the room on the disk is for others now, unless the images refer to it.</summary>
    public void Release()
    {
        lock (_lock)
            _store?.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _key?.Dispose();
            _store?.Dispose();
        }
    }

    private void TakeKey(StreamHeader header)
    {
        if (_key is null)
            PeerFault.Require(PageKey.TryImport(header.PageKey.Span, out _key), "sent a page key that is none");
        else
            PeerFault.Require(CryptographicOperations.FixedTimeEquals(_key.Export(), header.PageKey.Span), "changed the page key");
    }
}
