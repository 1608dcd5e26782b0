using System.Globalization;
using System.Security.Cryptography;
using P2PMigrate.Migration.Journal;

namespace P2PMigrate.Migration.Depots;

/// <summary>
/// Objects as files of a directory that several machines may mount. An object is written beside its name and linked to it when it is on the disk, so that the file system decides who
/// was first; one without hard links is refused, because there nobody would. Links below the directory are none of its objects: nothing leads out of it.
/// </summary>
// spec: DEP-01
public sealed class DirectoryObjectStore : IObjectStore
{
    private const string Unfinished = ".unfinished";

    private static readonly EnumerationOptions s_withoutLinks = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };

    private readonly string _root;

    /// <summary>
    /// A directory that is there whenever something is asked: one that is not has not been mounted, and is never made. Files in it are for their owner only.
    /// </summary>
    /// <param name="root">The directory.</param>
    /// <param name="place">What to call it in a sentence; by default its path.</param>
    public DirectoryObjectStore(string root, string? place = null) => (_root, Place) = (Path.GetFullPath(root), place ?? Path.GetFullPath(root));

    /// <inheritdoc/>
    public string Place { get; }

    /// <inheritdoc/>
    public async Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, DepotLimits.MaxObjectLength);
        string path = PathOf(name);
        RequireRoot();
        if (File.Exists(path))
            return false;
        string directory = Path.GetDirectoryName(path)!;
        StateDirectory.CreatePrivate(directory);
        string unfinished = Path.Combine(_root, Unfinished, RandomNumberGenerator.GetHexString(32, lowercase: true));
        StateDirectory.CreatePrivate(Path.GetDirectoryName(unfinished)!);
        try
        {
            await WriteAsync(unfinished, content, cancellationToken).ConfigureAwait(false);
            if (!HardLink.TryCreate(unfinished, path))
                return false;
            DirectorySync.Flush(directory);
            return true;
        }
        finally
        {
            File.Delete(unfinished);
        }
    }

    /// <inheritdoc/>
    public async Task<byte[]?> TryReadAsync(string name, CancellationToken cancellationToken)
    {
        RequireRoot();
        try
        {
            FileStream file = new(PathOf(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: false);
            await using (file.ConfigureAwait(false))
            {
                if (file.Length > DepotLimits.MaxObjectLength)
                    throw new IOException(string.Create(CultureInfo.InvariantCulture, $"{file.Name} has {file.Length} bytes, more than any object of a depot."));
                byte[] content = new byte[file.Length];
                await file.ReadExactlyAsync(content, cancellationToken).ConfigureAwait(false);
                return content;
            }
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        RequireRoot();
        string directory = PathOf(prefix[..Math.Max(0, prefix.LastIndexOf('/'))]);
        IReadOnlyList<string> names = !Directory.Exists(directory) ? [] :
        [
            .. Directory.EnumerateFiles(directory, "*", s_withoutLinks)
                .Select(path => Path.GetRelativePath(_root, path))
                .Where(name => name.StartsWith(prefix, StringComparison.Ordinal) && !name.StartsWith(Unfinished, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];
        return Task.FromResult(names);
    }

    /// <inheritdoc/>
    public Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        string path = PathOf(name);
        if (File.Exists(path))
        {
            File.Delete(path);
            DirectorySync.Flush(Path.GetDirectoryName(path)!);
        }

        return Task.CompletedTask;
    }

    private void RequireRoot()
    {
        if (!Directory.Exists(_root))
            throw new IOException($"The directory {_root} is not there: mount it, or make it.");
    }

    private static async Task WriteAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = OperatingSystem.IsWindows() ? null : UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        FileStream file = new(path, options);
        await using (file.ConfigureAwait(false))
        {
            await file.WriteAsync(content, cancellationToken).ConfigureAwait(false);
            file.Flush(flushToDisk: true);
        }
    }

    private string PathOf(string name)
    {
        if (name.Split('/').Any(part => part is "." or ".."))
            throw new ArgumentException($"'{name}' is no object's name.", nameof(name));
        string path = _root;
        foreach (string part in name.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            path = Path.Combine(path, part);
            if (new FileInfo(path).LinkTarget is not null)
                throw new IOException($"{path} is a link, which no part of a depot is. Remove it, or put in its place what it leads to.");
        }

        return path;
    }
}
