using System.Security.Cryptography;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>What stands for CRIU's images: the digest of the memory, and the sizes of the files the container has open.</summary>
internal static class InMemoryImages
{
    public const string PagesFile = "pages-1.img";

    private const string CoreFile = "core-1.img";
    private const string FilesFile = "files.img";

    public static void Write(string directory, SimulatedContainer copy)
    {
        File.WriteAllBytes(Path.Combine(directory, CoreFile), SHA256.HashData(copy.Memory));
        File.WriteAllLines(Path.Combine(directory, FilesFile), Directory.EnumerateFiles(Path.Combine(copy.Root, "var"))
            .Select(path => $"{Path.GetRelativePath(copy.Root, path)} {new FileInfo(path).Length}"));
        File.WriteAllBytes(Path.Combine(directory, "empty.img"), []);
    }

    public static IReadOnlyList<Finding> FindDifferences(string directory, string root) =>
    [
        .. File.ReadLines(Path.Combine(directory, FilesFile))
            .Select(line => line.Split(' '))
            .Where(parts => new FileInfo(Path.Combine(root, parts[0])) is var file && (!file.Exists || file.Length != long.Parse(parts[1])))
            .Select(parts => new Finding(FindingSeverity.Blocker, "files", $"{parts[0]} has a bad size.")),
    ];

    public static byte[] ReadMemory(string directory)
    {
        byte[] memory = File.ReadAllBytes(Path.Combine(directory, PagesFile));
        byte[] digest = File.ReadAllBytes(Path.Combine(directory, CoreFile));
        return SHA256.HashData(memory).AsSpan().SequenceEqual(digest) ? memory : throw new ContainerException("The memory is not what was dumped.");
    }
}

/// <summary>Writes pages one behind the other, and insists on the order that <see cref="IPageSink"/> promises.</summary>
internal sealed class InMemoryPageWriter(InMemoryRuntime runtime, string directory) : IPageSink, IAsyncDisposable
{
    private readonly MemoryStream _pages = new();
    private ulong _next;

    public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
    {
        _next = 0;
        return ValueTask.CompletedTask;
    }

    public async ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
    {
        await runtime.AtAsync("page", cancellationToken);
        if (run.Address < _next || pages.Length != (run.IsPresent ? run.Pages * PageRun.PageSize : 0))
            throw new InvalidOperationException("pages out of order, or too few");
        _next = run.Address + ((ulong)run.Pages * PageRun.PageSize);
        _pages.Write(pages.Span);
    }

    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        await runtime.AtAsync("pages", cancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(directory, InMemoryImages.PagesFile), _pages.ToArray(), cancellationToken);
    }

    public ValueTask DisposeAsync() => runtime.PagesCannotBeClosed is { } fault ? ValueTask.FromException(fault) : _pages.DisposeAsync();
}
