using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;

namespace P2PMigrate.Migration;

/// <summary>The jobs that a state directory knows. Locks nothing and changes nothing, so it can be asked at any time, whatever is at work.</summary>
public static class JobList
{
    /// <summary>One entry per journal, the oldest first; those that cannot be read come last and say why. A job that ended has no journal.</summary>
    // spec: MIG-130
    public static IReadOnlyList<KnownJob> Read(StateDirectory state)
    {
        var jobs = new List<KnownJob>();
        foreach ((JobId job, string path) in UnfinishedJob.JournalsIn(state))
        {
            if (TryRead(state, job, path) is { } known)
                jobs.Add(known);
        }

        return [.. jobs.OrderBy(job => job.BeganAt ?? DateTimeOffset.MaxValue)];
    }

    private static KnownJob? TryRead(StateDirectory state, JobId job, string path)
    {
        try
        {
            using JournalView? view = JournalView.TryOpen(path);
            if (view is null)
                return null;
            int? owner = view.FindOwner(path);
            (JournalContents? contents, string? damage) = view.Read();
            if (contents is not null && contents.Head.JobId != job)
                (contents, damage) = (null, "it is of another job");
            return contents is null
                ? JobStanding.Damaged(job, HeadCopy.TryRead(state, job), owner, $"The journal {path} cannot be trusted: {damage}.")
                : JobStanding.Of(contents, owner);
        }
        catch (IOException exception)
        {
            return JobStanding.Damaged(job, HeadCopy.TryRead(state, job), null, exception.Message);
        }
    }
}
