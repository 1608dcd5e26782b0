using P2PMigrate.Migration.Journal;

namespace P2PMigrate.Migration.Jobs;

/// <summary>The directories of one job, made and removed. Nothing outside the state directory is ever removed.</summary>
internal sealed class JobFiles(StateDirectory state, JobId job)
{
    /// <summary>CRIU's images.</summary>
    public string Images => state.Images(job);

    /// <summary>The runtime's own.</summary>
    public string Work => state.Work(job);

    /// <summary>Makes the job's directories, and says in them whose they are.</summary>
    public void Create(JournalHead head)
    {
        StateDirectory.CreatePrivate(state.Job(job));
        StateDirectory.CreatePrivate(Images);
        StateDirectory.CreatePrivate(Work);
        HeadCopy.Write(state.Job(job), head);
    }

    /// <summary>Makes an empty bundle with its configuration, durably. Throws <see cref="IOException"/> when there is one already.</summary>
    public void CreateBundle(ContainerName container, ReadOnlyMemory<byte> configuration)
    {
        string bundle = state.Bundle(container);
        if (Directory.Exists(bundle))
            throw new IOException($"{bundle} exists already.");
        StateDirectory.CreatePrivate(bundle);
        StateDirectory.CreatePrivate(state.Rootfs(container));
        using (FileStream file = new(Path.Combine(bundle, "config.json"), FileMode.CreateNew, FileAccess.Write, FileShare.None))
        {
            file.Write(configuration.Span);
            file.Flush(flushToDisk: true);
        }

        DirectorySync.Flush(bundle);
        DirectorySync.Flush(state.Containers);
    }

    /// <summary>Removes the job's directories. Does nothing when there are none.</summary>
    public void Remove() => TreeRemoval.Remove(state.Job(job));

    /// <summary>Removes a received bundle. Does nothing when there is none.</summary>
    public void RemoveBundle(ContainerName container) => TreeRemoval.Remove(state.Bundle(container));

    /// <summary>Removes <paramref name="bundle"/> if it is one that was received here; one that the user made stays.</summary>
    public void RemoveBundleIfOurs(ContainerName container, string bundle)
    {
        if (Path.TrimEndingDirectorySeparator(Path.GetFullPath(bundle)) == state.Bundle(container))
            RemoveBundle(container);
    }
}
