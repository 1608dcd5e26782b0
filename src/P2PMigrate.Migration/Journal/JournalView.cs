using Microsoft.Win32.SafeHandles;
using P2PMigrate.Migration.Jobs;

namespace P2PMigrate.Migration.Journal;

/// <summary>
/// Somebody's journal, open to be looked at without locking it: its owner may write on it, or start up and take it, at any time. Shows the last record of a
/// job also when the journal was deleted meanwhile.
/// </summary>
// spec: MIG-130
internal sealed class JournalView : IDisposable
{
    private readonly SafeFileHandle _file;

    private JournalView(SafeFileHandle file) => _file = file;

    /// <summary>Opens a journal; null when there is none. Throws <see cref="IOException"/> when it cannot be opened.</summary>
    public static JournalView? TryOpen(string path) => UnlockedFile.TryOpen(path) is { } file ? new JournalView(file) : null;

    /// <summary>The heads of a state directory's journals, or their copies; those left out of which neither can be read.</summary>
    public static IEnumerable<JournalHead> HeadsIn(StateDirectory state)
    {
        foreach ((JobId job, string path) in UnfinishedJob.JournalsIn(state))
        {
            using JournalView? view = TryOpen(path);
            if (view is not null && (view.Read().Contents?.Head ?? HeadCopy.TryRead(state, job)) is { } head)
                yield return head;
        }
    }

    /// <summary>What the journal holds now, or why it cannot be trusted. A record that is being written looks like a torn tail.</summary>
    public (JournalContents? Contents, string? Damage) Read()
    {
        byte[] content = new byte[Math.Min(RandomAccess.GetLength(_file), JournalFormat.FileLength + 1)];
        RandomAccess.Read(_file, content, 0);
        return JournalContents.TryParse(content, out JournalContents? contents, out string? reason) ? (contents, null) : (null, reason);
    }

    /// <summary>The process that has this file open beside us, or null when none is seen.</summary>
    public int? FindOwner(string path) => OpenFiles.FindOther(Path.GetFileName(path), _file);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
