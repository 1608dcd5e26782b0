namespace P2PMigrate.Lab;

/// <summary>The whole network with two virtual hosts: root file systems, processes, cgroups and host names of their own.</summary>
public sealed class VirtualLab : RoutedLab
{
    private VirtualLab(LabScope scope, IEnumerable<LabNode> hosts, IReadOnlyList<IAsyncDisposable> processes)
        : base(scope, hosts, processes)
    {
    }

    public VirtualHost Source => (VirtualHost)this[LabMap.Source];

    public VirtualHost Target => (VirtualHost)this[LabMap.Target];

    /// <summary>Raises a lab; the first one on a machine builds the root file system, which takes a minute.</summary>
    public static async Task<VirtualLab> RaiseAsync(LabOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new LabOptions();
        RootfsImage image = await LabGround.PrepareAsync(cancellationToken).ConfigureAwait(false);
        return await RaiseAsync(
            options,
            async (scope, processes) =>
            {
                var builder = new VirtualHostBuilder(scope, image);
                VirtualHost[] hosts = await Task.WhenAll(
                    LabMap.Hosts.Select(host => builder.BootAsync(host, options.Binds, cancellationToken))).ConfigureAwait(false);
                return new VirtualLab(scope, hosts, processes);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finds a lab that is up, whoever raised it. The returned object does not own it: disposing leaves it up.</summary>
    public static VirtualLab Find(string name)
    {
        VirtualHost[] hosts = [.. LabMap.Hosts.Select(host => VirtualHost.Find(name, host))];
        var lab = new VirtualLab(LabScope.Open(name), hosts, []);
        lab.Forget();
        return lab;
    }

    /// <summary>Removes a lab that is up, or what is left of one, with everything that runs in it.</summary>
    public static Task RemoveAsync(string name, CancellationToken cancellationToken = default) => LabScope.ReleaseAsync(name, cancellationToken);
}
