using P2PMigrate.Migration.Journal;

namespace P2PMigrate.Migration.Archives;

/// <summary>
/// Where an archive goes: a file that has its name only when it is whole and on the disk, or a stream of the caller's. Disposing removes what was not kept.
/// </summary>
// spec: ARC-21
internal sealed class ArchiveFile : IAsyncDisposable
{
    private readonly string? _path;
    private readonly FileStream? _file;
    private bool _isKept;

    private ArchiveFile(string path, FileStream file) => (_path, _file, Stream) = (path, file, file);

    private ArchiveFile(Stream stream) => Stream = stream;

    /// <summary>Where to write.</summary>
    public Stream Stream { get; }

    private string Unfinished => _path + ".part";

    /// <summary>A new file, for its owner only. Throws <see cref="IOException"/> when there is one of the name.</summary>
    public static ArchiveFile Create(string path)
    {
        string full = Path.GetFullPath(path);
        if (Path.Exists(full))
            throw new IOException($"{full} is there already; choose another name, or remove it.");
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.None,
            BufferSize = 0,
            UnixCreateMode = OperatingSystem.IsWindows() ? null : UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        return new ArchiveFile(full, new FileStream(full + ".part", options));
    }

    /// <summary>A stream, which stays the caller's.</summary>
    public static ArchiveFile Over(Stream stream) => new(stream);

    /// <summary>Everything was written: returns when the file is on the disk under its name.</summary>
    public void Keep()
    {
        if (_file is not null)
        {
            _file.Flush(flushToDisk: true);
            File.Move(Unfinished, _path!, overwrite: false);
            DirectorySync.Flush(Path.GetDirectoryName(_path)!);
        }

        _isKept = true;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_file is null)
            return;
        await _file.DisposeAsync().ConfigureAwait(false);
        if (!_isKept)
            File.Delete(Unfinished);
    }
}
