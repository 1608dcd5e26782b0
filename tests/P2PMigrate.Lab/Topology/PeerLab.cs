namespace P2PMigrate.Lab;

/// <summary>
/// The whole network with hosts that are namespaces only: enough for programs that need nothing but the network, and raised
/// in a moment. Programs see this machine's files and processes.
/// </summary>
public sealed class PeerLab : RoutedLab
{
    private PeerLab(LabScope scope, IReadOnlyList<IAsyncDisposable> processes)
        : base(scope, LabMap.Hosts.Select(host => new LabNode(scope, host)), processes)
    {
    }

    public LabNode Source => this[LabMap.Source];

    public LabNode Target => this[LabMap.Target];

    /// <summary>Raises a lab. With a router that maps ports, the first one on a machine builds the root file system.</summary>
    public static async Task<PeerLab> RaiseAsync(LabOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new LabOptions();
        await (options.SourceNat.MapsPorts || options.TargetNat.MapsPorts
            ? LabGround.PrepareAsync(cancellationToken)
            : LabGround.TidyAsync(cancellationToken)).ConfigureAwait(false);
        return await RaiseAsync(options, (scope, processes) => Task.FromResult(new PeerLab(scope, processes)), cancellationToken).ConfigureAwait(false);
    }
}
