namespace P2PMigrate.Migration.Journal;

/// <summary>
/// The journals of jobs that have ended at this target while their source may not know how, a file each. A bounded number, in all and of one peer, for a bounded time: those that ended last.
/// </summary>
// spec: MIG-192
internal static class EndedJobs
{
    // spec: CONST-441
    private const int FatesMax = 64, FatesOfOneMax = 16;

    private static readonly TimeSpan s_fateLife = TimeSpan.FromDays(30);

    /// <summary>Moves a journal into <paramref name="directory"/>, whose last record says how the job ended; the oldest one makes room.</summary>
    public static void TakeIn(string journal, string directory)
    {
        File.Move(journal, Path.Combine(directory, Path.GetFileName(journal)), overwrite: true);
        foreach (FileInfo old in Surplus(new DirectoryInfo(directory)).ToArray())
            old.Delete();
        DirectorySync.Flush(directory);
        DirectorySync.Flush(Path.GetDirectoryName(journal)!);
    }

    private static IEnumerable<FileInfo> Surplus(DirectoryInfo directory)
    {
        DateTime oldest = DateTime.UtcNow - s_fateLife;
        FileInfo[] latest = [.. directory.GetFiles().OrderByDescending(file => file.LastWriteTimeUtc)];
        IEnumerable<FileInfo> ofOne = latest.GroupBy(file => Read(file.FullName)?.Head.Peer ?? "").SelectMany(peer => peer.Skip(FatesOfOneMax));
        return latest.Skip(FatesMax).Concat(latest.Where(file => file.LastWriteTimeUtc < oldest)).Concat(ofOne).DistinctBy(file => file.Name);
    }

    /// <summary>The source knows how this job ended.</summary>
    public static void Forget(StateDirectory state, JobId job)
    {
        if (Directory.Exists(state.Ended))
            File.Delete(state.EndedJournal(job));
    }

    /// <summary>A peer that proposes a container is in no doubt about earlier jobs of it (MIG-06).</summary>
    public static void ForgetEarlier(StateDirectory state, JournalHead proposed)
    {
        foreach (JournalHead earlier in Heads(state).Where(head => head.Peer == proposed.Peer && head.Container == proposed.Container).ToArray())
            Forget(state, earlier.JobId);
    }

    /// <summary>What the journal of an ended job says; null when it is not there, or cannot be trusted.</summary>
    public static JournalContents? Find(StateDirectory state, JobId job) =>
        Read(state.EndedJournal(job)) is { } contents && contents.Head.JobId == job ? contents : null;

    /// <summary>The heads of all of them.</summary>
    public static IEnumerable<JournalHead> Heads(StateDirectory state) =>
        Directory.Exists(state.Ended) ? Directory.GetFiles(state.Ended).Select(path => Read(path)?.Head).OfType<JournalHead>() : [];

    private static JournalContents? Read(string path)
    {
        using JournalView? view = JournalView.TryOpen(path);
        return view?.Read().Contents;
    }
}
