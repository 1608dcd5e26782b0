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
    private readonly string? _unfinished;
    private bool _isKept;

    private ArchiveFile(string path, string unfinished, FileStream file) => (_path, _unfinished, _file, Stream) = (path, unfinished, file, file);

    private ArchiveFile(Stream stream) => Stream = stream;

    /// <summary>Where to write.</summary>
    public Stream Stream { get; }

    /// <summary>
    /// A new file, for its owner only, which is called after <paramref name="job"/> until it is whole. Throws <see cref="IOException"/> when there is one of the name, or
    /// when it would lie in one of <paramref name="doomed"/>, which are not there any more when the container has gone.
    /// </summary>
    public static ArchiveFile Create(string path, JobId job, params string[] doomed)
    {
        string full = Path.GetFullPath(path);
        if (Path.Exists(full))
            throw new IOException($"{full} is there already; choose another name, or remove it.");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
            BufferSize = 0,
            UnixCreateMode = OperatingSystem.IsWindows() ? null : UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        string unfinished = $"{full}.{job}.part";
        var file = new FileStream(unfinished, options);
        var archive = new ArchiveFile(full, unfinished, file);
        string place = PlaceOf(file) ?? full;
        if (doomed.FirstOrDefault(directory => IsBelow(place, directory)) is not { } grave)
            return archive;
        file.Dispose();
        File.Delete(unfinished);
        throw new IOException($"{full} would be below {grave}, which belongs to the container or to p2pmigrate itself; choose a place elsewhere.");
    }

    /// <summary>A stream, which stays the caller's.</summary>
    public static ArchiveFile Over(Stream stream) => new(stream);

    /// <summary>Everything was written: returns when the file is on the disk under its name.</summary>
    public void Keep()
    {
        if (_file is not null)
        {
            _file.Flush(flushToDisk: true);
            File.Move(_unfinished!, _path!, overwrite: false);
            FlushName();
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
            File.Delete(_unfinished!);
    }

    /// <summary>A name of which nobody knows whether it lasts is taken back: the container goes on.</summary>
    private void FlushName()
    {
        try
        {
            DirectorySync.Flush(Path.GetDirectoryName(_path)!);
        }
        catch
        {
            File.Delete(_path!);
            throw;
        }
    }

    /// <summary>Where the file really is, links followed.</summary>
    private static string? PlaceOf(FileStream file) => new FileInfo($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}").LinkTarget;

    /// <summary>Is it, by its name or by that of the directory's true place, below a directory?</summary>
    internal static bool IsBelow(string path, string directory)
    {
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        string real = new DirectoryInfo(root).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? root;
        return path.StartsWith(root + '/', StringComparison.Ordinal) || path.StartsWith(real + '/', StringComparison.Ordinal);
    }
}
