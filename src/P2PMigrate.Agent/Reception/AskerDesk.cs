using P2PMigrate.Migration;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Reception;

/// <summary>
/// Lets those peers dial in without a ticket that may have to ask what became of a job of theirs: while the job lasts, and afterwards until they know. Safe for use from several threads.
/// </summary>
// spec: MIG-193
internal sealed class AskerDesk(MigrationEnvironment environment, TunnelEndpoint endpoint) : IDisposable
{
    private readonly TargetRunner _runner = new(environment);
    private readonly SemaphoreSlim _renewing = new(1);
    private readonly HashSet<PublicIdentity> _admitted = [];
    private readonly Dictionary<PublicIdentity, int> _living = [];

    /// <summary>The peer's job begins, which no journal may say yet. Once for each <see cref="EndJobAsync"/>.</summary>
    public Task BeginJobAsync(PublicIdentity peer) => InTurnAsync(() =>
    {
        _living[peer] = _living.GetValueOrDefault(peer) + 1;
        return TryAdmitAsync(peer);
    });

    /// <summary>Its journal says from now on whether the peer may have to ask.</summary>
    public Task EndJobAsync(PublicIdentity peer) => InTurnAsync(() =>
    {
        if (--_living[peer] == 0)
            _living.Remove(peer);
        return GoByJournalsAsync();
    });

    /// <summary>Goes by the journals as they are now.</summary>
    public Task RenewAsync() => InTurnAsync(GoByJournalsAsync);

    /// <inheritdoc/>
    public void Dispose() => _renewing.Dispose();

    private async Task GoByJournalsAsync()
    {
        try
        {
            PublicIdentity[] askers = [.. _runner.Askers(), .. _living.Keys];
            foreach (PublicIdentity peer in askers)
                await TryAdmitAsync(peer).ConfigureAwait(false);
            foreach (PublicIdentity gone in _admitted.Except(askers).ToArray())
            {
                await endpoint.DismissAsync(gone.PeerId).ConfigureAwait(false);
                _admitted.Remove(gone);
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // The state directory cannot be read now; the end of the next job looks again.
        }
    }

    private async Task InTurnAsync(Func<Task> act)
    {
        await _renewing.WaitAsync().ConfigureAwait(false);
        try
        {
            await act().ConfigureAwait(false);
        }
        finally
        {
            _renewing.Release();
        }
    }

    /// <summary>A peer that cannot be admitted cannot ask; its person has to look.</summary>
    private async Task TryAdmitAsync(PublicIdentity peer)
    {
        try
        {
            await endpoint.AdmitAsync(peer).ConfigureAwait(false);
            _admitted.Add(peer);
        }
        catch (TunnelException)
        {
            // There are too many of them.
        }
    }
}
