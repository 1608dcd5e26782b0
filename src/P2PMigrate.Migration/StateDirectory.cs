using P2PMigrate.Migration.Jobs;

namespace P2PMigrate.Migration;

/// <summary>
/// The agent's directory, by default <c>/var/lib/p2pmigrate</c>, as far as migration uses it. Every path of a job follows from
/// the job id or the container's name, so that nothing the peer says ever becomes a path.
/// </summary>
public sealed class StateDirectory
{
    /// <summary>A directory that need not exist yet.</summary>
    /// <param name="root">The directory itself; a relative path counts from where the process is now.</param>
    public StateDirectory(string root)
    {
        Root = Path.GetFullPath(root);
        ChunkStore = new ChunkStoreShare(this);
    }

    /// <summary>The directory itself.</summary>
    public string Root { get; }

    /// <summary>Where bundles of received containers live.</summary>
    public string Containers => Path.Combine(Root, "containers");

    /// <summary>What jobs need while they last: images, logs, hooks.</summary>
    public string Jobs => Path.Combine(Root, "jobs");

    /// <summary>One journal per unfinished job.</summary>
    public string Journals => Path.Combine(Root, "journal");

    /// <summary>Journals of jobs that have ended here, while their source may not know how.</summary>
    public string Ended => Path.Combine(Root, "ended");

    /// <summary>Logs of CRIU and of runtimes that messages about jobs name.</summary>
    public string Logs => Path.Combine(Root, "logs");

    /// <summary>One lock file per container that takes part in a job.</summary>
    public string Locks => Path.Combine(Root, "locks");

    /// <summary>What migrations from here cost, as far as they taught it.</summary>
    public string Downtimes => Path.Combine(Root, "downtimes.json");

    /// <summary>Content that arrived or was sent: a directory for each peer, with what travelled between it and this machine, by digest.</summary>
    public string Chunks => Path.Combine(Root, "chunks");

    /// <summary>What was imported for a stage and has not been restored yet: a directory for each container.</summary>
    public string Imports => Path.Combine(Root, "imports");

    /// <summary>What this machine knows of the places of peers.</summary>
    public string Places => Path.Combine(Root, "places");

    /// <summary>The bundle of a received container: <c>config.json</c> and <c>rootfs</c>.</summary>
    public string Bundle(ContainerName container) => Path.Combine(Containers, container.Value);

    /// <summary>The root file system of a received container.</summary>
    public string Rootfs(ContainerName container) => Path.Combine(Bundle(container), "rootfs");

    /// <summary>A job's own directory.</summary>
    public string Job(JobId job) => Path.Combine(Jobs, job.ToString());

    /// <summary>Where a job keeps CRIU's images.</summary>
    public string Images(JobId job) => Path.Combine(Job(job), "images");

    /// <summary>Where a job's runtime keeps logs, hooks and what recovery needs.</summary>
    public string Work(JobId job) => Path.Combine(Job(job), "work");

    /// <summary>The way into <see cref="Chunks"/>.</summary>
    internal ChunkStoreShare ChunkStore { get; }

    /// <summary>A job's journal.</summary>
    public string Journal(JobId job) => Path.Combine(Journals, $"{job}.journal");

    /// <summary>The journal of a job that has ended, in <see cref="Ended"/>.</summary>
    public string EndedJournal(JobId job) => Path.Combine(Ended, $"{job}.journal");

    /// <summary>The lock file of a container.</summary>
    public string Lock(ContainerName container) => Path.Combine(Locks, $"{container.Value}.lock");

    /// <summary>Makes what is missing; private to this user.</summary>
    public void Create()
    {
        string[] all = [Root, Containers, Jobs, Journals, Ended, Locks, Chunks, Imports, Places];
        foreach (string directory in all)
            CreatePrivate(directory);
    }

    /// <summary>Makes a directory that only this user may enter.</summary>
    internal static void CreatePrivate(string directory)
    {
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException("Containers migrate between Linux machines only.");
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
