using P2PMigrate.Migration.Journal;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Migration.Archives;

/// <summary>Where an archive comes from, as far as its restore has to know: what content there is beside it, and who else has a say before its container runs.</summary>
internal interface IArchiveOrigin : IDisposable
{
    /// <summary>What it is called in the journal.</summary>
    string Name { get; }

    /// <summary>What the restore is part of.</summary>
    JobKind Kind { get; }

    /// <summary>Of a stage: the job that made the dump.</summary>
    JobId? Dump { get; }

    /// <summary>Throws <see cref="MigrationException"/> when the archive is not the one that was meant.</summary>
    void Accept(ArchiveHead head);

    /// <summary>The store into which content is read; what the archive leaves out is there already.</summary>
    IChunkStore Content { get; }

    /// <summary>The container is held here and may run if this returns. Throws <see cref="MigrationException"/> when somebody else has it.</summary>
    Task ClaimAsync(CancellationToken cancellationToken);

    /// <summary>Nothing of the container is left here: whatever was claimed is somebody else's to claim. Throws <see cref="IOException"/> when it cannot be said.</summary>
    Task GiveUpAsync();
}
