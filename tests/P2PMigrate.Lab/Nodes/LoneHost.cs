namespace P2PMigrate.Lab;

/// <summary>A virtual host alone in a lab of its own, without uplink: for work on checkpoints, file systems and runtimes.</summary>
public sealed class LoneHost : IAsyncDisposable
{
    private readonly LabScope _scope;
    private bool _disowned;

    private LoneHost(LabScope scope, VirtualHost host)
    {
        _scope = scope;
        Host = host;
    }

    public VirtualHost Host { get; }

    /// <summary>
    /// Raises a host; disposing removes it. <paramref name="name"/> must be free on this machine; null makes one up. With <paramref name="packages"/>, more
    /// packages of Debian than the usual ones, its root file system is built the first time.
    /// </summary>
    public static async Task<LoneHost> RaiseAsync(
        string? name = null, IReadOnlyList<BindMount>? binds = null, CancellationToken cancellationToken = default, params IEnumerable<string> packages)
    {
        RootfsImage image = await LabGround.PrepareAsync(cancellationToken, packages).ConfigureAwait(false);
        LabScope scope = await LabScope.ClaimAsync(name ?? LabRegistry.InventName(), cancellationToken).ConfigureAwait(false);
        try
        {
            await scope.AddNodeAsync(scope.Name, cancellationToken).ConfigureAwait(false);
            VirtualHost host = await new VirtualHostBuilder(scope, image).BootAsync(scope.Name, binds ?? [], cancellationToken).ConfigureAwait(false);
            return new LoneHost(scope, host);
        }
        catch
        {
            await LabScope.ReleaseAsync(scope.Name, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Finds a host that is up, whoever raised it.</summary>
    public static VirtualHost Find(string name) => VirtualHost.Find(name, name);

    /// <summary>From now on the host outlives this object and this process.</summary>
    public void Disown()
    {
        _scope.Disown();
        _disowned = true;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_disowned) await LabScope.ReleaseAsync(_scope.Name, CancellationToken.None).ConfigureAwait(false);
    }
}
