using System.Globalization;

namespace P2PMigrate.Migration.Depots;

/// <summary>
/// A place that answers in time or is a <see cref="PlaceException"/>, as whatever else goes wrong with it is: a container may stand still meanwhile, and a directory of a machine that is away answers
/// neither a signal nor a cancellation.
/// </summary>
// spec: DEP-03
internal sealed class TimedObjectStore(IObjectStore inner) : IObjectStore
{
    public string Place => inner.Place;

    public Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        AskAsync(stop => inner.TryCreateAsync(name, content, stop), DepotLimits.Answer + DepotLimits.TimeOf(content.Length), cancellationToken);

    public Task<byte[]?> TryReadAsync(string name, CancellationToken cancellationToken) =>
        AskAsync(stop => inner.TryReadAsync(name, stop), DepotLimits.Answer, cancellationToken);

    /// <summary>The same for an object that may be as long as one can be.</summary>
    public Task<byte[]?> TryReadLongAsync(string name, CancellationToken cancellationToken) =>
        AskAsync(stop => inner.TryReadAsync(name, stop), DepotLimits.Answer + DepotLimits.TimeOf(DepotLimits.MaxObjectLength), cancellationToken);

    public Task<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken) =>
        AskAsync(stop => inner.ListAsync(prefix, stop), DepotLimits.Answer, cancellationToken);

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => AskAsync(
        async stop =>
        {
            await inner.DeleteAsync(name, stop).ConfigureAwait(false);
            return true;
        }, DepotLimits.Answer, cancellationToken);

    private async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> question, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        CancellationToken stopped = stop.Token;
        try
        {
            return await Task.Run(() => question(stopped), cancellationToken).WaitAsync(limit, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException late)
        {
            await stop.CancelAsync().ConfigureAwait(false); // what was given up must not be done later
            throw new PlaceException(string.Create(CultureInfo.InvariantCulture, $"{Place} does not answer within {limit.TotalSeconds:0} s."), late);
        }
        catch (Exception refused) when (refused is IOException and not PlaceException or UnauthorizedAccessException)
        {
            throw new PlaceException(refused.Message.Contains(Place, StringComparison.Ordinal) ? refused.Message : $"{Place}: {refused.Message}", refused);
        }
    }
}
