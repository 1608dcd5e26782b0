using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// Gives a container that runs at the target the memory that its dump has left here: what it waits for at once, and all of it behind that, once the container has what it works with. Owns the memory, neither key nor book. Used once for each session.
/// </summary>
// spec: MIG-102, MIG-103, MIG-107
internal sealed class MemoryGiver(MigrationEnvironment environment, ITunnelSession session, JobId job, IRemainingMemory memory, (PageKey Key, PageBook Book) names, TransferMeter meter) : IAsyncDisposable
{
    private readonly CancellationTokenSource _over = new();
    private readonly AskingLull _lull = new(environment.Time, environment.Timers, () => session.PrimaryPath?.RoundTrip ?? TimeSpan.Zero);
    private ITunnelStream? _wanted;
    private Task _answering = Task.CompletedTask;
    private bool _isDisposed;

    /// <summary>How much was left, in bytes.</summary>
    public long Bytes => memory.Bytes;

    /// <summary>Ends when nobody asks any more; fails with why no more can be answered.</summary>
    public Task Answering => _answering;

    /// <summary>Answers from now on. Even to be restored a container may need a page.</summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        ITunnelStream wanted = await new StreamHeader(job, ContentKind.WantedMemory).OpenAsync(session, cancellationToken).ConfigureAwait(false);
        _wanted = wanted;
        _answering = Task.Run(() => WantedPages.AnswerAsync(wanted, memory, meter, _lull.NoteQuestion, _over.Token), CancellationToken.None);
    }

    /// <summary>Answers alone for a while, then sends all of it while it goes on answering, and returns when the target has all. When one of the two cannot go on, neither does.</summary>
    public async Task GiveAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task giving = GiveAllAsync(either.Token);
        bool isAsked = await Task.WhenAny(giving, _answering).ConfigureAwait(false) == giving;
        if (!isAsked)
            await either.CancelAsync().ConfigureAwait(false);
        await giving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!isAsked && !giving.IsCompletedSuccessfully)
        {
            await _answering.ConfigureAwait(false);
            throw PeerFault.Of("does not ask for memory any more, and has not got all of it");
        }

        await giving.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        await _over.CancelAsync().ConfigureAwait(false);
        await _answering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // it writes to the stream and reads the memory
        if (_wanted is not null)
            await _wanted.DisposeAsync().ConfigureAwait(false);
        memory.Dispose();
        _over.Dispose();
    }

    private async Task GiveAllAsync(CancellationToken cancellationToken)
    {
        await _lull.WaitAsync(cancellationToken).ConfigureAwait(false);
        PageSender pages = await PageSender.OpenLateAsync(session, job, names.Key, names.Book, meter, cancellationToken).ConfigureAwait(false);
        await using (pages.ConfigureAwait(false))
        {
            LackingPages lacking = await pages.ReadLackingAsync(cancellationToken).ConfigureAwait(false);
            await memory.DeliverAsync(lacking.Before(pages), cancellationToken).ConfigureAwait(false);
        }
    }
}
