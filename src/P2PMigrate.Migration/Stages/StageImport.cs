using System.Security.Cryptography;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Migration.Stages;

/// <summary>What a target keeps of a container between <c>import-data</c> and <c>restore-dump</c>: its content, and the token by which it claims a dump.</summary>
internal sealed class StageImport
{
    private const int TokenLength = 32;

    private readonly string _directory;

    private StageImport(string directory) => _directory = directory;

    private string TokenPath => Path.Combine(_directory, "token");

    /// <summary>The import of a container, which need not have begun.</summary>
    public static StageImport Of(StateDirectory state, ContainerName name) => new(Path.Combine(state.Imports, name.Value));

    /// <summary>Takes the import for one process; null when another one has it.</summary>
    public FileLock? TryLock()
    {
        StateDirectory.CreatePrivate(_directory);
        return FileLock.TryTake(_directory + ".lock");
    }

    /// <summary>The token, if there is one.</summary>
    public string? TryReadToken() => File.Exists(TokenPath) && File.ReadAllText(TokenPath) is { Length: TokenLength } token ? token : null;

    /// <summary>Opens the content; it is made if need be.</summary>
    public DirectoryChunkStore OpenContent()
    {
        StateDirectory.CreatePrivate(_directory);
        return new DirectoryChunkStore(Path.Combine(_directory, "content"));
    }

    /// <summary>The token; it is on the disk before anybody sees it, so that whoever restores again after a crash has the same one.</summary>
    // spec: DEP-20
    public string Token()
    {
        StateDirectory.CreatePrivate(_directory);
        if (TryReadToken() is { } token)
            return token;
        string fresh = RandomNumberGenerator.GetHexString(TokenLength, lowercase: true);
        using (FileStream file = new(TokenPath, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(fresh));
            file.Flush(flushToDisk: true);
        }

        DirectorySync.Flush(_directory);
        return fresh;
    }

    /// <summary>The container runs here: nothing of it is needed any more.</summary>
    public void Remove() => TreeRemoval.Remove(_directory);
}
