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
    private const string LaterFile = "later.img";

    /// <summary>What stands where memory has not come yet: no page of a container is like that.</summary>
    private const byte Nothing = 0xEE;

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

    /// <summary>Written by the target: where in the memory there is nothing yet.</summary>
    public static void WriteLater(string directory, IReadOnlyList<PageRun> left)
    {
        if (left.Count > 0)
            File.WriteAllLines(Path.Combine(directory, LaterFile), left.Select(run => $"{run.Address} {run.Pages}"));
    }

    public static IReadOnlyList<PageRun> ReadLater(string directory) => ReadRuns(Path.Combine(directory, LaterFile));

    public static byte[] NothingFor(PageRun run)
    {
        byte[] pages = new byte[run.Pages * PageRun.PageSize];
        Array.Fill(pages, Nothing);
        return pages;
    }

    public static IReadOnlyList<PageRun> ReadRuns(string path) => !File.Exists(path) ? [] :
    [
        .. File.ReadLines(path).Select(line => line.Split(' ')).Select(parts => new PageRun(ulong.Parse(parts[0]), uint.Parse(parts[1]), InMemoryFence.LazyFlag)),
    ];

    /// <summary>What arrives for these images.</summary>
    public static LateArrival BeginArrival(string directory, SimulatedWorld world) => new(
        world, File.ReadAllBytes(Path.Combine(directory, PagesFile)), File.ReadAllBytes(Path.Combine(directory, CoreFile)), ReadLater(directory));

    /// <summary>All of it; of a dump that has left nothing for later.</summary>
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
    private readonly List<PageRun> _left = [];
    private ulong _next;
    private bool _isProcess;

    public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
    {
        (_next, _isProcess) = (0, space.Kind == PageSpaceKind.Process);
        return ValueTask.CompletedTask;
    }

    public async ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
    {
        await runtime.AtAsync("page", cancellationToken);
        if (run.Address < _next || pages.Length != (run.IsPresent ? run.Pages * PageRun.PageSize : 0))
            throw new InvalidOperationException("pages out of order, or too few");
        _next = run.Address + ((ulong)run.Pages * PageRun.PageSize);
        if (_isProcess && run.Flags == InMemoryFence.LazyFlag)
        {
            _left.Add(run);
            pages = InMemoryImages.NothingFor(run);
        }

        _pages.Write(pages.Span);
    }

    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        await runtime.AtAsync("pages", cancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(directory, InMemoryImages.PagesFile), _pages.ToArray(), cancellationToken);
        InMemoryImages.WriteLater(directory, _left);
    }

    public ValueTask DisposeAsync() => runtime.PagesCannotBeClosed is { } fault ? ValueTask.FromException(fault) : _pages.DisposeAsync();
}
