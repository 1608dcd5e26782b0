namespace P2PMigrate.Lab;

/// <summary>Removes what a lab made: processes first, then namespaces, cgroups and directories, its record last.</summary>
internal static class LabRemains
{
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>Removes every lab whose owner is gone; returns their names.</summary>
    public static async Task<IReadOnlyList<string>> RemoveOrphansAsync(CancellationToken cancellationToken)
    {
        using IDisposable turn = await LabRegistry.LockAsync(cancellationToken).ConfigureAwait(false);
        string[] orphans = [.. LabRegistry.List().Where(record => record.IsOrphaned).Select(record => record.Name)];
        foreach (string name in orphans) await RemoveAsync(name, cancellationToken).ConfigureAwait(false);
        return orphans;
    }

    /// <summary>Call under the registry's lock.</summary>
    public static async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        if (LabRegistry.TryFind(name) is { } record)
        {
            await KillAsync(record.Cgroups, cancellationToken).ConfigureAwait(false);
            await RemoveNetworkNamespacesAsync(name, cancellationToken).ConfigureAwait(false);
            foreach (string cgroup in record.Cgroups.All) await RemoveCgroupAsync(cgroup, cancellationToken).ConfigureAwait(false);
        }

        await Tool.RequireAsync("rm", ["-rf", "--one-file-system", LabRegistry.WorkOf(name)], cancellationToken).ConfigureAwait(false);
        await Tool.RequireAsync("rm", ["-rf", "--one-file-system", LabRegistry.StateOf(name)], cancellationToken).ConfigureAwait(false);
        if (LabRegistry.List().Count == 0) PipeSizeLimit.Restore();
    }

    /// <summary>Kills every process below, frozen ones too, and waits until the last is gone.</summary>
    private static async Task KillAsync(CgroupPlace cgroups, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(cgroups.Unified)) return;
        await File.WriteAllTextAsync(Path.Combine(cgroups.Unified, "cgroup.kill"), "1", cancellationToken).ConfigureAwait(false);
        string events = Path.Combine(cgroups.Unified, "cgroup.events");
        bool IsEmpty() => File.ReadAllText(events).Contains("populated 0", StringComparison.Ordinal);
        await UntilAsync(IsEmpty, $"processes of {cgroups.Unified} to die", cancellationToken).ConfigureAwait(false);
    }

    private static async Task RemoveNetworkNamespacesAsync(string name, CancellationToken cancellationToken)
    {
        if (!Directory.Exists("/run/netns")) return;
        foreach (string path in Directory.GetFiles("/run/netns", $"p2plab-{name}.*"))
            await Tool.RequireAsync("ip", ["netns", "delete", Path.GetFileName(path)], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A cgroup can be removed only when its children are; a dying process may hold it a moment longer.</summary>
    private static async Task RemoveCgroupAsync(string directory, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(directory)) return;
        foreach (string child in Directory.GetDirectories(directory)) await RemoveCgroupAsync(child, cancellationToken).ConfigureAwait(false);
        bool IsGone() => Native.RemoveDirectory(directory) || !Directory.Exists(directory);
        await UntilAsync(IsGone, $"cgroup {directory} to become removable", cancellationToken).ConfigureAwait(false);
    }

    private static async Task UntilAsync(Func<bool> condition, string what, CancellationToken cancellationToken)
    {
        long deadline = Environment.TickCount64 + (long)KillLimit.TotalMilliseconds;
        while (!condition())
        {
            if (Environment.TickCount64 > deadline) throw new LabException($"waited {KillLimit.TotalSeconds:0} s in vain for {what}");
            await Task.Delay(Poll, cancellationToken).ConfigureAwait(false);
        }
    }
}
