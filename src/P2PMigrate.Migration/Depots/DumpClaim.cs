using System.Text;

namespace P2PMigrate.Migration.Depots;

/// <summary>Whose a dump is: of the two sides that may let its container run, the place lets one be first.</summary>
// spec: DEP-20
internal sealed class DumpClaim(TimedObjectStore objects, string name)
{
    private const string Source = "source", Target = "target ";

    /// <summary>For the source, which wants to thaw: false when the target was first.</summary>
    public async Task<bool> TryTakeForSourceAsync(CancellationToken cancellationToken) =>
        await TryTakeAsync(Source, cancellationToken).ConfigureAwait(false);

    /// <summary>For the target that has <paramref name="token"/>: false when the source, or another target, was first.</summary>
    public async Task<bool> TryTakeForTargetAsync(string token, CancellationToken cancellationToken) =>
        await TryTakeAsync(Target + token, cancellationToken).ConfigureAwait(false);

    /// <summary>Who has claimed, if anybody.</summary>
    public async Task<ContainerSide> OwnerAsync(CancellationToken cancellationToken) => await ReadAsync(cancellationToken).ConfigureAwait(false) switch
    {
        null => ContainerSide.None,
        Source => ContainerSide.Source,
        _ => ContainerSide.Target,
    };

    /// <summary>Is it this target's?</summary>
    public async Task<bool> IsOfTargetAsync(string token, CancellationToken cancellationToken) =>
        await ReadAsync(cancellationToken).ConfigureAwait(false) == Target + token;

    /// <summary>Gives it up: nothing of the dump is left where it was claimed.</summary>
    public Task GiveUpAsync(CancellationToken cancellationToken) => objects.DeleteAsync(name, cancellationToken);

    private async Task<bool> TryTakeAsync(string word, CancellationToken cancellationToken) =>
        await objects.TryCreateAsync(name, Encoding.ASCII.GetBytes(word), cancellationToken).ConfigureAwait(false)
        || await ReadAsync(cancellationToken).ConfigureAwait(false) == word;

    /// <summary>A claim that is there and cannot be read is somebody's: the place has not said whose.</summary>
    private async Task<string?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await objects.TryReadAsync(name, cancellationToken).ConfigureAwait(false) is { } content ? Encoding.ASCII.GetString(content) : null;
        }
        catch (MigrationException damaged) when (damaged.Fault == MigrationFault.ArchiveDamaged)
        {
            throw new PlaceException(damaged.Message, damaged);
        }
    }
}
