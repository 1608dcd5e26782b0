using P2PMigrate.Agent.Commands;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Depots;

namespace P2PMigrate.Agent.Places;

/// <summary>
/// A place of which is not known yet whether what is in it is sealed: it looks when a container's depot is first used, and opens it then. For what a journal names: a stage that is to be
/// brought to an end. Safe for use from several threads.
/// </summary>
internal sealed class UnsealingPlace(CommandContext context, string place) : IObjectStore, IDisposable
{
    private readonly Dictionary<ContainerName, IObjectStore> _opened = [];
    private readonly SemaphoreSlim _opening = new(1);

    /// <inheritdoc/>
    public string Place => place;

    /// <inheritdoc/>
    public async Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await (await OpenAsync(name, cancellationToken).ConfigureAwait(false)).TryCreateAsync(name, content, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<byte[]?> TryReadAsync(string name, CancellationToken cancellationToken) =>
        await (await OpenAsync(name, cancellationToken).ConfigureAwait(false)).TryReadAsync(name, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken) =>
        await (await OpenAsync(prefix, cancellationToken).ConfigureAwait(false)).ListAsync(prefix, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async Task DeleteAsync(string name, CancellationToken cancellationToken) =>
        await (await OpenAsync(name, cancellationToken).ConfigureAwait(false)).DeleteAsync(name, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public void Dispose() => _opening.Dispose();

    private async Task<IObjectStore> OpenAsync(string name, CancellationToken cancellationToken)
    {
        if (!ContainerName.TryParse(name.Split('/')[0], out ContainerName container))
            throw new ArgumentException($"{name} is no object of a container.", nameof(name));
        await _opening.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!_opened.TryGetValue(container, out IObjectStore? opened))
                _opened[container] = opened = await OpenAsync(container, cancellationToken).ConfigureAwait(false);
            return opened;
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>Whatever keeps it shut, the place cannot be asked: the container stays as it is.</summary>
    private async Task<IObjectStore> OpenAsync(ContainerName container, CancellationToken cancellationToken)
    {
        try
        {
            return await SealChoice.OpenToReadAsync(context, place, container, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception shut) when (shut is UsageException or MigrationException)
        {
            throw new PlaceException(shut.Message, shut);
        }
    }
}
