using System.Security.Cryptography;
using P2PMigrate.Snapshot.Pages;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// What a target has of a job's memory ahead of the freeze: the key of page names, the pages, and whose turn it is. Streams of a
/// lying source may come at the same time, so everything here is safe for use from several threads.
/// </summary>
// spec: MIG-27, MIG-80
internal sealed class KeptPages(string directory, long claimedBytes) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ContentBudget _budget = new(claimedBytes);
    private PageKey? _key;               // guarded by _lock, like all below
    private PageStore? _store;
    private int _nextRound;
    private bool _isBusy;
    private bool _isClosed;

    /// <summary>A live round begins. Returns the store that it fills.</summary>
    public PageStore Begin(StreamHeader header)
    {
        lock (_lock)
        {
            PeerFault.Require(!_isBusy && !_isClosed && header.Round == _nextRound, "sent a round of memory when it was not its turn");
            TakeKey(header);
            _isBusy = true;
            return _store ??= new PageStore(directory);
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
    public (PageKey Key, PageStore? Store) Close(StreamHeader header)
    {
        lock (_lock)
        {
            PeerFault.Require(!_isBusy, "sent a dump while a round of memory was under way");
            TakeKey(header);
            _isClosed = true;
            return (_key!, _store);
        }
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
