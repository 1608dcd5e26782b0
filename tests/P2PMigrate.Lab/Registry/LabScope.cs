namespace P2PMigrate.Lab;

/// <summary>
/// Everything one lab owns on the machine: its name, its record, its cgroups, its network namespaces, its directories.
/// Whatever is made for a lab is made inside its scope, so <see cref="ReleaseAsync"/> finds it. Thread-safe.
/// </summary>
internal sealed class LabScope
{
    private readonly Lock _gate = new();
    private LabRecord _record;

    private LabScope(LabRecord record) => _record = record;

    public string Name => _record.Name;

    public IReadOnlyDictionary<string, ProcessIdentity> Hosts => _record.Hosts;

    /// <summary>Takes the name for this process, after removing what a crashed owner may have left under it.</summary>
    public static async Task<LabScope> ClaimAsync(string name, CancellationToken cancellationToken)
    {
        LabRegistry.Checked(name);
        using IDisposable turn = await LabRegistry.LockAsync(cancellationToken).ConfigureAwait(false);
        if (LabRegistry.Knows(name)) await MakeRoomAsync(name, cancellationToken).ConfigureAwait(false);
        CgroupPlace cgroups = CgroupHierarchies.Current().Child("p2plab-" + name);
        var record = new LabRecord { Name = name, Owner = ProcessIdentity.Current, Cgroups = cgroups };
        try
        {
            Found(record);
            return new LabScope(record);
        }
        catch
        {
            await LabRemains.RemoveAsync(name, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Opens the scope of a lab that is up; any process may, for as long as it does not add to it.</summary>
    public static LabScope Open(string name) =>
        new(LabRegistry.TryFind(LabRegistry.Checked(name)) ?? throw new LabException($"there is no lab or host `{name}`"));

    /// <summary>Removes all of it, whoever made it. Repeating it does no harm.</summary>
    public static async Task ReleaseAsync(string name, CancellationToken cancellationToken)
    {
        LabRegistry.Checked(name);
        using IDisposable turn = await LabRegistry.LockAsync(cancellationToken).ConfigureAwait(false);
        await LabRemains.RemoveAsync(name, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lets the lab outlive this process: from now on only its name takes it down.</summary>
    public void Disown() => Update(record => record with { Owner = null });

    public string WorkOf(string node) => Path.Combine(LabRegistry.WorkOf(Name), node);

    public CgroupPlace CgroupsOf(string node) => _record.Cgroups.Child(node);

    public string NetworkNamespaceOf(string node) => $"p2plab-{Name}.{node}";

    /// <summary>What the lab's map was drawn from.</summary>
    public LabPlan Plan => _record.Plan ?? throw new LabException($"`{Name}` is no lab with a map");

    public void RecordPlan(LabPlan plan) => Update(record => record with { Plan = plan });

    public void RecordHost(string host, ProcessIdentity init) =>
        Update(record => record with { Hosts = new Dictionary<string, ProcessIdentity>(record.Hosts) { [host] = init } });

    /// <summary>Makes the node's cgroup and network namespace, loopback up.</summary>
    public async Task AddNodeAsync(string node, CancellationToken cancellationToken)
    {
        CgroupsOf(node).UnifiedOnly.Create();
        string space = NetworkNamespaceOf(node);
        await Tool.RequireAsync("ip", ["netns", "add", space], cancellationToken).ConfigureAwait(false);
        await Tool.RequireAsync("ip", ["-n", space, "link", "set", "lo", "up"], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The record comes first: from then on the rest can be found and removed.</summary>
    private static void Found(LabRecord record)
    {
        Directory.CreateDirectory(LabRegistry.StateOf(record.Name));
        record.Write(LabRegistry.RecordOf(record.Name));
        Directory.CreateDirectory(LabRegistry.WorkOf(record.Name));
        record.Cgroups.Create();
        PipeSizeLimit.Raise();
    }

    private static async Task MakeRoomAsync(string name, CancellationToken cancellationToken)
    {
        if (LabRegistry.TryFind(name) is { IsOrphaned: false }) throw new LabException($"a lab or host `{name}` is up already");
        await LabRemains.RemoveAsync(name, cancellationToken).ConfigureAwait(false);
    }

    private void Update(Func<LabRecord, LabRecord> change)
    {
        lock (_gate)
        {
            LabRecord changed = change(_record);
            changed.Write(LabRegistry.RecordOf(Name));
            _record = changed;
        }
    }
}
