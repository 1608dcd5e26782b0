using System.Text.Json;

namespace P2PMigrate.Lab;

/// <summary>
/// A container of a virtual host as runc knows it: a bundle in <c>/data/NAME</c> with a root file system of its own,
/// which the caller may change before <see cref="StartAsync"/> and look at afterwards.
/// </summary>
public sealed class ContainerBundle
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromMinutes(1);

    private ContainerBundle(VirtualHost host, string name)
    {
        Host = host;
        Name = name;
    }

    public VirtualHost Host { get; }

    public string Name { get; }

    /// <summary>The bundle's directory in the host.</summary>
    public string Directory => "/data/" + Name;

    /// <summary>The root file system's directory in the host.</summary>
    public string Rootfs => Directory + "/rootfs";

    /// <summary>The root file system's directory on the machine. See <see cref="VirtualHost.PathOf"/> for its limits.</summary>
    public string RootfsOutside => Host.PathOf(Rootfs);

    /// <summary>The container's processes, by their numbers outside of the lab; empty when there is no such container.</summary>
    public IReadOnlyList<int> Pids => Host.PidsOf(Name);

    /// <summary>Copies the template and writes config.json. Standard streams will be /dev/null: CRIU dumps no file from outside.</summary>
    public static async Task<ContainerBundle> CreateAsync(VirtualHost host, ContainerOptions options, CancellationToken cancellationToken = default)
    {
        var bundle = new ContainerBundle(host, options.Name);
        string copy = $"mkdir -p {bundle.Directory}; cp -a --reflink=auto {options.Template} {bundle.Rootfs}";
        await host.ShellAsync(copy, cancellationToken).ConfigureAwait(false);
        string controllers = await host.ReadTextAsync("/sys/fs/cgroup/cgroup.controllers", cancellationToken).ConfigureAwait(false);
        bool limitsMemory = controllers.Split([' ', '\n']).Contains("memory");
        await host.WriteTextAsync(bundle.Directory + "/config.json", RuncConfig.For(options, limitsMemory), cancellationToken).ConfigureAwait(false);
        return bundle;
    }

    /// <summary>The bundle of a container that came to the host by other ways, such as a migration.</summary>
    public static ContainerBundle Find(VirtualHost host, string name) => new(host, name);

    /// <summary>Runs the container in the background.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        string log = $"/run/runc-{Name}.log";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_startLimit);
        CommandResult result;
        try
        {
            result = await Host.RunAsync(
                NodeCommand.Shell($"exec runc --log {log} run --detach --bundle {Directory} {Name} < /dev/null > /dev/null 2>&1"), limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new LabException($"runc has not started {Name} within {s_startLimit.TotalSeconds:0} s; its log:\n{await Host.ReadTextAsync(log, cancellationToken).ConfigureAwait(false)}");
        }

        if (!result.Succeeded) (result with { Error = await Host.ReadTextAsync(log, cancellationToken).ConfigureAwait(false) }).EnsureSuccess();
    }

    /// <summary>What runc says of the container: created, running, paused or stopped; null when it knows none of this name.</summary>
    public async Task<string?> StatusAsync(CancellationToken cancellationToken = default)
    {
        CommandResult result = await Host.RunAsync("runc", ["state", Name], cancellationToken).ConfigureAwait(false);
        if (!result.Succeeded && result.Error.Contains("does not exist", StringComparison.Ordinal)) return null;
        using JsonDocument state = JsonDocument.Parse(result.EnsureSuccess().Output);
        return state.RootElement.GetProperty("status").GetString();
    }

    /// <summary>Kills and forgets the container; its directory stays.</summary>
    public async Task DeleteAsync(CancellationToken cancellationToken = default) =>
        (await Host.RunAsync("runc", ["delete", "--force", Name], cancellationToken).ConfigureAwait(false)).EnsureSuccess();
}
