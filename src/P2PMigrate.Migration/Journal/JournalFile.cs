using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Migration.Journal;

/// <summary>A journal in the file system. The open file is locked, so that recovery in another process leaves a living job alone.</summary>
internal sealed class JournalFile : IJournalFile
{
    private readonly string _path;
    private readonly SafeFileHandle _file;

    private JournalFile(string path, SafeFileHandle file) => (_path, _file) = (path, file);

    /// <summary>Makes a file with <paramref name="content"/> under its final name, durably, or none at all. A crash leaves at most a <c>.new</c> file.</summary>
    // spec: MIG-50
    public static JournalFile Create(string path, ReadOnlySpan<byte> content)
    {
        string temporary = path + ".new";
        SafeFileHandle file = File.OpenHandle(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        try
        {
            RandomAccess.Write(file, content, 0);
            RandomAccess.FlushToDisk(file);
            File.Move(temporary, path, overwrite: false);
            DirectorySync.Flush(Path.GetDirectoryName(path)!);
            return new JournalFile(path, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file that an earlier process left; null when a living process holds it.</summary>
    public static JournalFile? TryOpen(string path)
    {
        try
        {
            return new JournalFile(path, File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException exception) when (FileLock.IsHeldByOther(exception))
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public byte[] Read()
    {
        byte[] content = new byte[Math.Min(RandomAccess.GetLength(_file), JournalFormat.FileLength + 1)];
        RandomAccess.Read(_file, content, 0);
        return content;
    }

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> block, long offset) => RandomAccess.Write(_file, block, offset);

    /// <inheritdoc/>
    public void Flush() => RandomAccess.FlushToDisk(_file);

    /// <inheritdoc/>
    public void Delete() => File.Delete(_path);

    /// <inheritdoc/>
    public void SetAside(string place) => EndedJobs.TakeIn(_path, place);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
