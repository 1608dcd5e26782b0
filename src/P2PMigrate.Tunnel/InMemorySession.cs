using System.Threading.Channels;
using P2PMigrate.Tunnel.InMemory;

namespace P2PMigrate.Tunnel;

/// <summary>
/// A session without a network: both ends live in one process and keep every promise of <see cref="ITunnelSession"/>.
/// For tests of what runs on top of a tunnel. <see cref="Cut"/> makes both ends lose each other without a goodbye.
/// </summary>
public sealed class InMemorySession : ITunnelSession
{
    private readonly InMemoryLink _link;
    private readonly InMemoryDatagrams _datagrams;
    private readonly Channel<InMemoryStream> _incoming = Channel.CreateUnbounded<InMemoryStream>();
    private readonly TaskCompletionSource<SessionEnd> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private InMemorySession _peer;

    private InMemorySession(InMemoryLink link, InMemoryDatagrams datagrams)
    {
        _link = link;
        _datagrams = datagrams;
        _peer = this;
    }

    /// <inheritdoc/>
    public Task<SessionEnd> Completion => _completion.Task;

    /// <inheritdoc/>
    public PathSummary? PrimaryPath => Completion.IsCompleted ? null : new PathSummary(PathKind.Direct, "in memory", TimeSpan.Zero);

    /// <inheritdoc/>
    public ITunnelDatagrams Datagrams => _datagrams;

    /// <summary>Two sessions that are each other's peer.</summary>
    public static (InMemorySession First, InMemorySession Second) CreatePair()
    {
        var link = new InMemoryLink();
        (InMemoryDatagrams firstDatagrams, InMemoryDatagrams secondDatagrams) = InMemoryDatagrams.CreatePair();
        var first = new InMemorySession(link, firstDatagrams);
        var second = new InMemorySession(link, secondDatagrams) { _peer = first };
        first._peer = second;
        return (first, second);
    }

    /// <inheritdoc/>
    public ValueTask<ITunnelStream> OpenStreamAsync(StreamPriority priority, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult<ITunnelStream>(_link.Open(priority, stream => _peer._incoming.Writer.TryWrite(stream)));
    }

    /// <inheritdoc/>
    public async ValueTask<ITunnelStream> AcceptStreamAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await _incoming.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException closed) when (closed.InnerException is TunnelException reason)
        {
            throw new TunnelException(reason.Reason, reason.Message, reason);
        }
    }

    /// <inheritdoc/>
    public ValueTask CloseAsync(ulong code, string reason, CancellationToken cancellationToken = default)
    {
        var exception = new TunnelException(TunnelFailure.Closed, $"The session was closed: {reason}");
        if (_link.TryEnd(exception, discard: false))
        {
            End(new SessionEnd(code, reason, ByPeer: false, IsLost: false), exception);
            _peer.End(new SessionEnd(code, reason, ByPeer: true, IsLost: false), exception);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Cuts the link as if a cable was pulled and the idle timeout had passed: bytes under way are gone, both ends see
    /// <see cref="SessionEnd.IsLost"/>. After the end it does nothing.
    /// </summary>
    public void Cut()
    {
        var exception = new TunnelException(TunnelFailure.Lost, "The connection to the peer was lost.");
        if (!_link.TryEnd(exception, discard: true))
            return;
        var end = new SessionEnd(0, exception.Message, ByPeer: false, IsLost: true);
        End(end, exception);
        _peer.End(end, exception);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => CloseAsync(0, "disposed");

    private void End(SessionEnd end, TunnelException exception)
    {
        _datagrams.EndWith(exception);
        _incoming.Writer.TryComplete(exception);
        _completion.TrySetResult(end);
    }
}
