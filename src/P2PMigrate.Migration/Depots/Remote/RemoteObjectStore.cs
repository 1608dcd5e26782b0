using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Depots.Remote;

/// <summary>
/// The place that a peer keeps for whoever holds a ticket of its, through a tunnel. It is dialled when something is first asked, and again when the session was lost; what was asked then is asked once more, unless it was to delete: what has been deleted may have come back as another's.
/// Whatever keeps it from answering is a <see cref="PlaceException"/>. Safe for use from several threads.
/// </summary>
/// <param name="place">What to call it in a sentence.</param>
/// <param name="dial">Reaches the peer. Throws <see cref="TunnelException"/>. The session is this object's.</param>
// spec: DEP-50, DEP-54
public sealed class RemoteObjectStore(string place, Func<CancellationToken, Task<ITunnelSession>> dial) : IObjectStore, IAsyncDisposable
{
    /// <summary>What is still unanswered then was given up by whoever asked.</summary>
    private static readonly TimeSpan s_limit = DepotLimits.Answer + DepotLimits.TimeOf(DepotLimits.MaxObjectLength);

    private readonly SemaphoreSlim _opening = new(1);
    private ITunnelSession? _session;

    /// <inheritdoc/>
    public string Place => place;

    /// <inheritdoc/>
    // spec: DEP-54
    public async Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, DepotLimits.MaxObjectLength);
        Reply reply = await AskAsync(new PlaceRequest(PlaceVerb.Create, name), content, cancellationToken).ConfigureAwait(false);
        return reply.IsYes
            || (reply.IsRepeated && await TryReadAsync(name, cancellationToken).ConfigureAwait(false) is { } there && content.Span.SequenceEqual(there));
    }

    /// <inheritdoc/>
    public async Task<byte[]?> TryReadAsync(string name, CancellationToken cancellationToken) =>
        (await AskAsync(new PlaceRequest(PlaceVerb.Read, name), default, cancellationToken).ConfigureAwait(false)).What;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        Reply reply = await AskAsync(new PlaceRequest(PlaceVerb.List, prefix), default, cancellationToken).ConfigureAwait(false);
        return PlaceAnswer.TryDecodeNames(reply.What, prefix, out IReadOnlyList<string> names) ? names : throw Unusable("It listed names that no objects have.");
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string name, CancellationToken cancellationToken) => AskAsync(new PlaceRequest(PlaceVerb.Delete, name), default, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_session is { } session)
        {
            await session.CloseAsync(0, "done", CancellationToken.None).ConfigureAwait(false);
            await session.DisposeAsync().ConfigureAwait(false);
        }

        _opening.Dispose();
    }

    private async Task<Reply> AskAsync(PlaceRequest request, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        for (bool isRepeated = false; ; isRepeated = true)
        {
            ITunnelSession session = await SessionAsync(cancellationToken).ConfigureAwait(false);
            using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            time.CancelAfter(s_limit);
            try
            {
                return await AskOnceAsync(session, request, content, time.Token).ConfigureAwait(false) with { IsRepeated = isRepeated };
            }
            catch (TunnelException) when (!isRepeated && request.Verb != PlaceVerb.Delete)
            {
                await ForgetAsync(session).ConfigureAwait(false);
            }
            catch (Exception lost) when (IsPeers(lost, cancellationToken))
            {
                await ForgetAsync(session).ConfigureAwait(false);
                throw Unusable(lost);
            }
        }
    }

    private async Task<Reply> AskOnceAsync(ITunnelSession session, PlaceRequest request, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ITunnelStream stream = await session.OpenStreamAsync(StreamPriority.Bulk, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            await stream.Output.WriteRecordAsync(request.Encode(), cancellationToken).ConfigureAwait(false);
            if (request.Verb == PlaceVerb.Create)
                await stream.Output.WriteRecordAsync(content, cancellationToken).ConfigureAwait(false);
            await stream.Output.CompleteAsync().ConfigureAwait(false);

            byte[] record = await stream.Input.ReadRecordAsync(PlaceAnswer.LengthMax, cancellationToken).ConfigureAwait(false);
            PeerFault.Require(PlaceAnswer.TryDecode(record, out PlaceAnswer answer), "answered for its place in no known words");
            PeerFault.Require(answer.Verdict != PlaceVerdict.No || request.Verb is PlaceVerb.Create or PlaceVerb.Read, "said no to what cannot fail");
            if (answer.Verdict == PlaceVerdict.Refused)
                throw Unusable(answer.Reason);
            bool isMore = answer.Verdict == PlaceVerdict.Yes && request.Verb is PlaceVerb.Read or PlaceVerb.List;
            byte[]? what = isMore ? await stream.Input.ReadRecordAsync(DepotLimits.MaxObjectLength, cancellationToken).ConfigureAwait(false) : null;
            PeerFault.Require(await stream.Input.TryReadExactlyAsync(1, cancellationToken).ConfigureAwait(false) is null, "said more than one answer on a stream");
            return new Reply(answer.Verdict == PlaceVerdict.Yes, what);
        }
    }

    /// <summary>The session that there is, or another one in which the peer has opened its place.</summary>
    private async Task<ITunnelSession> SessionAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_session is { Completion.IsCompleted: true } ended)
                await ForgetAsync(ended).ConfigureAwait(false);
            return _session ??= await OpenAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception unreachable) when (IsPeers(unreachable, cancellationToken))
        {
            throw Unusable(unreachable);
        }
        finally
        {
            _opening.Release();
        }
    }

    private async Task<ITunnelSession> OpenAsync(CancellationToken cancellationToken)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(DepotLimits.Answer);
        ITunnelSession session = await dial(time.Token).ConfigureAwait(false);
        try
        {
            ITunnelStream stream = await session.OpenStreamAsync(StreamPriority.Bulk, time.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                await Question.AskAsync<PlaceOpened>(stream, new PlaceAsked(), time.Token).ConfigureAwait(false);
            return session;
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task ForgetAsync(ITunnelSession session)
    {
        if (Interlocked.CompareExchange(ref _session, null, session) == session)
            await session.DisposeAsync().ConfigureAwait(false);
    }

    private static bool IsPeers(Exception exception, CancellationToken cancellationToken) =>
        exception is TunnelException or MigrationException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private PlaceException Unusable(Exception lost) => Unusable(lost is OperationCanceledException ? "The peer does not answer." : lost.Message, lost);

    private PlaceException Unusable(string reason, Exception? inner = null) => new($"{place}: {reason}", inner);

    /// <summary>What came back; <paramref name="What"/> is null where there is no object.</summary>
    private sealed record Reply(bool IsYes, byte[]? What)
    {
        /// <summary>Was it asked before, without an answer?</summary>
        public bool IsRepeated { get; init; }
    }
}
