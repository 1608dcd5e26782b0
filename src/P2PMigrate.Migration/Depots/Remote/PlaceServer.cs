using P2PMigrate.Migration.Transfer;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Depots.Remote;

/// <summary>
/// Does in a place what the peer of a session asks, one request after the other. The caller has opened the place to the peer (<see cref="TargetQuestion"/>). Safe for use from several threads, one call per session.
/// </summary>
/// <param name="place">What the peers share. Nothing but objects of depots comes to be in it.</param>
/// <param name="freeBytes">How much more the disk holds.</param>
// spec: DEP-51 to DEP-53
public sealed class PlaceServer(IObjectStore place, Func<long> freeBytes)
{
    /// <summary>What is left free of the disk, in bytes.</summary>
    // spec: CONST-471
    public const long LeastFree = 1L << 30;

    private const int ClaimLengthMax = 256;

    /// <summary>Until a request has come and its answer is gone.</summary>
    private static readonly TimeSpan s_limit = DepotLimits.Answer + DepotLimits.TimeOf(DepotLimits.MaxObjectLength);

    private readonly TimedObjectStore _place = new(place);

    /// <summary>
    /// Serves <paramref name="session"/> to its end, which is a <see cref="TunnelException"/>, or until its peer breaks the protocol, which is a <see cref="MigrationException"/>: the caller ends the session then.
    /// </summary>
    public async Task ServeAsync(ITunnelSession session, CancellationToken cancellationToken)
    {
        while (true)
        {
            ITunnelStream stream = await NextAsync(session, cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                await AnswerAsync(stream, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whoever asks nothing for a while leaves room for others, and comes again.</summary>
    private static async Task<ITunnelStream> NextAsync(ITunnelSession session, CancellationToken cancellationToken)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(DepotLimits.Answer);
        try
        {
            return await session.AcceptStreamAsync(time.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw PeerFault.Of("asked nothing more of a place");
        }
    }

    private async Task AnswerAsync(ITunnelStream stream, CancellationToken cancellationToken)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(s_limit);
        try
        {
            (PlaceRequest request, byte[] content) = await ReadAsync(stream, time.Token).ConfigureAwait(false);
            (PlaceAnswer answer, byte[]? what) = await CarryOutAsync(request, content, time.Token).ConfigureAwait(false);
            await stream.Output.WriteRecordAsync(answer.Encode(), time.Token).ConfigureAwait(false);
            if (what is not null)
                await stream.Output.WriteRecordAsync(what, time.Token).ConfigureAwait(false);
            await stream.Output.CompleteAsync().ConfigureAwait(false);
        }
        catch (TunnelException)
        {
            // The peer has given the request up. If it is the session that has ended, the next stream says so.
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw PeerFault.Of("asked something of a place, and did not take the answer in time");
        }
    }

    // spec: DEP-52
    private static async Task<(PlaceRequest Request, byte[] Content)> ReadAsync(ITunnelStream stream, CancellationToken cancellationToken)
    {
        byte[] record = await stream.Input.ReadRecordAsync(PlaceRequest.LengthMax, cancellationToken).ConfigureAwait(false);
        PeerFault.Require(PlaceRequest.TryDecode(record, out PlaceRequest request), "asked of a place what cannot be asked");
        byte[] content = request.Verb == PlaceVerb.Create
            ? await stream.Input.ReadRecordAsync(DepotLimits.MaxObjectLength, cancellationToken).ConfigureAwait(false) : [];
        PeerFault.Require(await stream.Input.TryReadExactlyAsync(1, cancellationToken).ConfigureAwait(false) is null, "said more than one request on a stream");
        return (request, content);
    }

    private async Task<(PlaceAnswer Answer, byte[]? What)> CarryOutAsync(PlaceRequest request, byte[] content, CancellationToken cancellationToken)
    {
        try
        {
            switch (request.Verb)
            {
                case PlaceVerb.Create:
                    await RequireRoomAsync(request.Name, content.Length, cancellationToken).ConfigureAwait(false);
                    return (Of(await _place.TryCreateAsync(request.Name, content, cancellationToken).ConfigureAwait(false)), null);
                case PlaceVerb.Read:
                    byte[]? there = await _place.TryReadLongAsync(request.Name, cancellationToken).ConfigureAwait(false);
                    return (Of(there is not null), there);
                case PlaceVerb.List:
                    IReadOnlyList<string> names = await _place.ListAsync(request.Name, cancellationToken).ConfigureAwait(false);
                    byte[] list = PlaceAnswer.EncodeNames(names.Where(ObjectName.IsObject));
                    return list.Length <= DepotLimits.MaxObjectLength ? (Of(true), list)
                        : (new PlaceAnswer(PlaceVerdict.Refused, $"{place.Place} has more objects of the name {request.Name} than can be listed."), null);
                default:
                    await _place.DeleteAsync(request.Name, cancellationToken).ConfigureAwait(false);
                    return (Of(true), null);
            }
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or TimeoutException)
        {
            return (new PlaceAnswer(PlaceVerdict.Refused, refused.Message), null);
        }
    }

    /// <summary>A claim that cannot be made keeps a container frozen: for claims there is room where for what they are of there was none.</summary>
    // spec: DEP-53
    private async Task RequireRoomAsync(string name, int length, CancellationToken cancellationToken)
    {
        long kept = ObjectName.IsClaim(name) && length <= ClaimLengthMax ? LeastFree / 2 : LeastFree;
        if (await Task.Run(freeBytes, cancellationToken).WaitAsync(DepotLimits.Answer, cancellationToken).ConfigureAwait(false) < kept + length)
            throw new PlaceException($"The disk of {place.Place} is nearly full. Make room there, and type the same again.");
    }

    private static PlaceAnswer Of(bool isDone) => new(isDone ? PlaceVerdict.Yes : PlaceVerdict.No);
}
