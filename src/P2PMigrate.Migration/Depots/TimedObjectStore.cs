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
        AskAsync(() => inner.TryCreateAsync(name, content, cancellationToken), DepotLimits.Answer + DepotLimits.TimeOf(content.Length), cancellationToken);

    public Task<byte[]?> TryReadAsync(string name, CancellationToken cancellationToken) =>
        AskAsync(() => inner.TryReadAsync(name, cancellationToken), DepotLimits.Answer, cancellationToken);

    /// <summary>The same for an object that may be as long as one can be.</summary>
    public Task<byte[]?> TryReadLongAsync(string name, CancellationToken cancellationToken) =>
        AskAsync(() => inner.TryReadAsync(name, cancellationToken), DepotLimits.Answer + DepotLimits.TimeOf(DepotLimits.MaxObjectLength), cancellationToken);

    public Task<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken) =>
        AskAsync(() => inner.ListAsync(prefix, cancellationToken), DepotLimits.Answer, cancellationToken);

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => AskAsync(
        async () =>
        {
            await inner.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
            return true;
        }, DepotLimits.Answer, cancellationToken);

    private async Task<T> AskAsync<T>(Func<Task<T>> question, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            return await Task.Run(question, cancellationToken).WaitAsync(limit, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException late)
        {
            throw new PlaceException(string.Create(CultureInfo.InvariantCulture, $"{Place} does not answer within {limit.TotalSeconds:0} s."), late);
        }
        catch (Exception refused) when (refused is IOException and not PlaceException or UnauthorizedAccessException)
        {
            throw new PlaceException(refused.Message.Contains(Place, StringComparison.Ordinal) ? refused.Message : $"{Place}: {refused.Message}", refused);
        }
    }
}
