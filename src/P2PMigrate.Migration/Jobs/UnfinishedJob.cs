using P2PMigrate.Migration.Journal;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// A job whose journal lies in the state directory and whose process is gone. Holding it keeps other processes off it. Of a damaged journal only
/// the job id is known, and what the job's own directory says.
/// </summary>
internal sealed class UnfinishedJob : IDisposable
{
    private const string Pattern = "*.journal";

    private UnfinishedJob(JobId jobId, JobJournal? journal, JournalContents? contents, JournalHead? head, string? damage) =>
        (JobId, Journal, Contents, Head, Damage) = (jobId, journal, contents, head, damage);

    /// <summary>The job.</summary>
    public JobId JobId { get; }

    /// <summary>Its journal, to be written on; null when it is damaged.</summary>
    public JobJournal? Journal { get; }

    /// <summary>What the journal holds; null when it is damaged.</summary>
    public JournalContents? Contents { get; }

    /// <summary>The journal's head, or its copy when the journal is damaged; null when that cannot be read either.</summary>
    // spec: MIG-150
    public JournalHead? Head { get; }

    /// <summary>Why the journal cannot be trusted, or null.</summary>
    public string? Damage { get; }

    /// <summary>All such jobs, one by one. Whoever takes one disposes of it.</summary>
    public static IEnumerable<UnfinishedJob> FindAll(StateDirectory state)
    {
        foreach ((JobId job, string path) in JournalsIn(state))
        {
            if (TryOpen(state, path, job) is { } unfinished)
                yield return unfinished;
        }
    }

    /// <summary>The journals there are, by their names alone, in the order of those.</summary>
    public static IEnumerable<(JobId Job, string Path)> JournalsIn(StateDirectory state)
    {
        if (!Directory.Exists(state.Journals))
            yield break;
        foreach (string path in Directory.EnumerateFiles(state.Journals, Pattern).Order(StringComparer.Ordinal))
        {
            if (JobId.TryParse(Path.GetFileNameWithoutExtension(path), out JobId job))
                yield return (job, path);
        }
    }

    /// <summary>One job; null when there is no journal of it or a living process works on it.</summary>
    public static UnfinishedJob? Find(StateDirectory state, JobId job)
    {
        string path = state.Journal(job);
        return File.Exists(path) ? TryOpen(state, path, job) : null;
    }

    /// <summary>Is it a job of this role and container, or one of which nobody can tell?</summary>
    public bool Concerns(JobRole role, ContainerName? container) =>
        Head is null || (Head.Role == role && (container is null || Head.Container == container));

    /// <summary>Closes the journal.</summary>
    public void Dispose() => Journal?.Dispose();

    private static UnfinishedJob? TryOpen(StateDirectory state, string path, JobId job)
    {
        try
        {
            if (JobJournal.Open(path) is not var (journal, contents))
                return null;
            if (contents.Head.JobId == job)
                return new UnfinishedJob(job, journal, contents, contents.Head, null);
            journal.Dispose();
            return new UnfinishedJob(job, null, null, HeadCopy.TryRead(state, job), $"The journal {path} is of another job.");
        }
        catch (MigrationException damaged)
        {
            return new UnfinishedJob(job, null, null, HeadCopy.TryRead(state, job), damaged.Message);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
