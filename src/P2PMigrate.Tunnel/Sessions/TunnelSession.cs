using System.Runtime.CompilerServices;
using System.Threading.Channels;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Tunnel.Sessions;
using P2PMigrate.Tunnel.Streams;

namespace P2PMigrate.Tunnel;

/// <summary>
/// A session with an authenticated peer over the network; see <see cref="ITunnelSession"/> for what it promises. Made by
/// the endpoint. This is the application's side; a <see cref="SessionDriver"/> is the loop's.
/// </summary>
public sealed class TunnelSession : ITunnelSession
{
    /// <summary>Path changes that wait for one watcher; older ones give way.</summary>
    private const int WatchedChanges = 16;

    /// <summary>How often the figures are renewed: whoever asks for them without a pause would only spin.</summary>
    private static readonly TimeSpan s_shortestInterval = TimeSpan.FromMilliseconds(100);

    private readonly SessionDriver _driver;
    private readonly Channel<TunnelStream> _incoming = Channel.CreateUnbounded<TunnelStream>();
    private readonly TaskCompletionSource<SessionEnd> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _watchersLock = new();
    private readonly List<Channel<PathSummary>> _watchers = [];
    private volatile PathSummary? _primaryPath;
    private volatile SessionStatistics _statistics = new(0, 0, 0, 0, 0, 0, 0, 0);
    private volatile SessionTimings _timings;

    internal TunnelSession(SessionDriver driver, EstablishedSession established, TimeSpan toEstablished)
    {
        _driver = driver;
        _timings = new SessionTimings(toEstablished, null, null);
        PeerKey = established.Peer;
        Ticket = established.Ticket;
        Verdict = established.Verdict;
        Suite = established.Suite;
        IsInitiator = established.Role == ConnectionRole.Initiator;
    }

    /// <summary>Who is at the other end, proven by its key.</summary>
    public PeerId Peer => PeerKey.PeerId;

    /// <summary>The key that proves it: by it the peer can be admitted, or dialled, another time.</summary>
    public PublicIdentity PeerKey { get; }

    /// <summary>The ticket that admitted the initiator.</summary>
    public TicketId Ticket { get; }

    /// <summary>What the responder says of the ticket. A session whose ticket is not open is closed by the endpoint at once.</summary>
    public TicketVerdict Verdict { get; }

    /// <summary>The cipher that both sides agreed on.</summary>
    public ProtectionSuite Suite { get; }

    /// <summary>Did this side dial?</summary>
    public bool IsInitiator { get; }

    /// <inheritdoc/>
    public Task<SessionEnd> Completion => _completion.Task;

    /// <inheritdoc/>
    public PathSummary? PrimaryPath => _primaryPath;

    /// <inheritdoc/>
    public ITunnelDatagrams Datagrams => _driver.Datagrams;

    /// <summary>What has been carried so far.</summary>
    public SessionStatistics Statistics => _statistics;

    /// <summary>How long it took to come this far.</summary>
    public SessionTimings Timings => _timings;

    /// <inheritdoc/>
    public async ValueTask<ITunnelStream> OpenStreamAsync(StreamPriority priority, CancellationToken cancellationToken = default) =>
        await _driver.OpenAsync(priority, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<ITunnelStream> AcceptStreamAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            TunnelStream stream = await _incoming.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            _driver.NoteAccepted(stream);
            return stream;
        }
        catch (ChannelClosedException closed) when (closed.InnerException is TunnelException reason)
        {
            throw new TunnelException(reason.Reason, reason.Message, reason);
        }
    }

    /// <summary>
    /// The path that carries data, now and whenever another one takes over, until the session ends. Several may watch.
    /// </summary>
    public async IAsyncEnumerable<PathSummary> WatchPathAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var changes = Channel.CreateBounded<PathSummary>(
            new BoundedChannelOptions(WatchedChanges) { FullMode = BoundedChannelFullMode.DropOldest });
        AddWatcher(changes);
        try
        {
            await foreach (PathSummary path in changes.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return path;
        }
        finally
        {
            lock (_watchersLock)
                _watchers.Remove(changes);
        }
    }

    /// <summary>
    /// The figures every <paramref name="interval"/>, the last time when the session has ended. They are renewed about ten
    /// times a second: a shorter interval shows nothing more, and is taken for a tenth of a second.
    /// </summary>
    public async IAsyncEnumerable<SessionStatistics> WatchStatisticsAsync(
        TimeSpan interval, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        TimeSpan pause = interval == Timeout.InfiniteTimeSpan || interval > s_shortestInterval ? interval : s_shortestInterval;
        while (!Completion.IsCompleted)
        {
            yield return Statistics;
            await Task.WhenAny(Completion, Task.Delay(pause, cancellationToken)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }

        yield return Statistics;
    }

    /// <inheritdoc/>
    public async ValueTask CloseAsync(ulong code, string reason, CancellationToken cancellationToken = default)
    {
        _driver.RequestClose(code, reason);
        await _completion.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => CloseAsync(0, "the session was disposed");

    /// <summary>Loop only: the peer opened a stream.</summary>
    internal void Offer(TunnelStream stream) => _incoming.Writer.TryWrite(stream);

    /// <summary>Loop only: fresh figures. With <paramref name="isPathChange"/> watchers are told.</summary>
    internal void Publish(PathSummary? path, SessionStatistics statistics, SessionTimings timings, bool isPathChange)
    {
        _primaryPath = path;
        _statistics = statistics;
        _timings = timings;
        if (!isPathChange || path is null)
            return;
        lock (_watchersLock)
        {
            foreach (Channel<PathSummary> watcher in _watchers)
                watcher.Writer.TryWrite(path);
        }
    }

    /// <summary>Loop only: the session is over. Everything that waits gets <paramref name="exception"/>.</summary>
    internal void End(SessionEnd end, TunnelException exception)
    {
        _primaryPath = null;
        _incoming.Writer.TryComplete(exception);
        _completion.TrySetResult(end);
        lock (_watchersLock)
        {
            foreach (Channel<PathSummary> watcher in _watchers)
                watcher.Writer.TryComplete();
        }
    }

    private void AddWatcher(Channel<PathSummary> changes)
    {
        lock (_watchersLock)
        {
            _watchers.Add(changes);
            if (_primaryPath is { } path)
                changes.Writer.TryWrite(path);
            if (Completion.IsCompleted)
                changes.Writer.TryComplete();
        }
    }
}
