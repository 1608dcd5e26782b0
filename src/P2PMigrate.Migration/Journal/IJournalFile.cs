namespace P2PMigrate.Migration.Journal;

/// <summary>The open file of a journal, as far as a journal needs one: of <see cref="JournalFile"/>, or of a disk in a test that loses what was not flushed.</summary>
internal interface IJournalFile : IDisposable
{
    /// <summary>All bytes, but no more than one beyond <see cref="JournalFormat.FileLength"/>.</summary>
    byte[] Read();

    /// <summary>Writes a block in its place. Throws <see cref="IOException"/> when the disk refuses; then it may or may not be there.</summary>
    void Write(ReadOnlySpan<byte> block, long offset);

    /// <summary>Returns when what was written is on the disk. Throws <see cref="IOException"/> when it may not be.</summary>
    void Flush();

    /// <summary>Removes the name. A crash may bring it back.</summary>
    void Delete();

    /// <summary>Moves the file into the directory <paramref name="place"/>, where <see cref="EndedJobs"/> looks. A crash may bring it back.</summary>
    void SetAside(string place);
}
