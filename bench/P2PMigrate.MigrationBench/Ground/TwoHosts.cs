using P2PMigrate.Lab;
using P2PMigrate.Lab.Links;

namespace P2PMigrate.MigrationBench.Ground;

/// <summary>
/// Two virtual hosts with an emulated link between them and nothing else, and one container that moves. Each host has the network namespace that
/// the container lives in, with the same address. Disposing removes everything.
/// </summary>
internal sealed class TwoHosts : IAsyncDisposable
{
    public const string Container = "bench";
    public const string SourceAddress = "10.99.0.1";
    public const string TargetAddress = "10.99.0.2";
    private static readonly TimeSpan s_ready = TimeSpan.FromMinutes(2);

    // Raised one after the other; what could not be raised is null.
    private LoneHost? _source;
    private LoneHost? _target;
    private BareLab? _wire;
    private EmulatedLink? _link;

    private TwoHosts()
    {
    }

    public VirtualHost Source => _source!.Host;

    public VirtualHost Target => _target!.Host;

    /// <summary>Sees the machine's own files and programs.</summary>
    public LabNode Ground => _wire!["wire"];

    /// <summary>The container's bundle at the source, a directory of the host.</summary>
    public static string Bundle => "/data/" + Container;

    public static async Task<TwoHosts> RaiseAsync(
        string link, ulong seed, IReadOnlyList<BindMount> binds, IReadOnlyList<string> packages, CancellationToken cancellationToken)
    {
        var hosts = new TwoHosts();
        try
        {
            hosts._source = await LoneHost.RaiseAsync(null, binds, cancellationToken, packages);
            hosts._target = await LoneHost.RaiseAsync(null, binds, cancellationToken, packages);
            hosts._wire = await BareLab.RaiseAsync(null, ["wire"], cancellationToken);
            hosts._link = await EmulatedLink.RaiseAsync(
                hosts.Ground, hosts.Source, hosts.Target, "wan0", SourceAddress + "/24", TargetAddress + "/24", link, seed, cancellationToken);
            foreach (VirtualHost host in new[] { hosts.Source, hosts.Target })
                await ContainerNetwork.CreateAsync(host, Container, cancellationToken: cancellationToken);
            return hosts;
        }
        catch
        {
            await hosts.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the container at the source and waits until it answers.</summary>
    public async Task StartAsync(WorkloadText workload, CancellationToken cancellationToken)
    {
        var options = new ContainerOptions
        {
            Name = Container,
            Arguments = ["python3", "/workload.py", .. workload.Arguments],
            NetworkNamespacePath = "/run/netns/" + Container,
        };
        ContainerBundle bundle = await ContainerBundle.CreateAsync(Source, options, cancellationToken);
        await Source.WriteTextAsync($"{Bundle}/rootfs/workload.py", Resource.Text("workload.py"), cancellationToken);
        await Source.ShellAsync($"cd {Bundle}/rootfs\n{workload.FilesScript}", cancellationToken);
        await bundle.StartAsync(cancellationToken);
        await WaitForAnswerAsync(cancellationToken);
    }

    /// <summary>Waits until the container answers at the source.</summary>
    public async Task WaitForAnswerAsync(CancellationToken cancellationToken)
    {
        using EchoProbe probe = EchoProbe.Start(Source, Target);
        await probe.WaitForAnswerAsync(s_ready, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable? part in new IAsyncDisposable?[] { _link, _wire, _source, _target })
        {
            if (part is not null)
                await part.DisposeAsync();
        }
    }
}
