using System.Globalization;
using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// A <c>pagemap-*.img</c> that the local CRIU wrote: which pages a space has, and where their content is. Runs are in the order of their addresses; those that are present have theirs in
/// <paramref name="PagesPath"/>, one after the other, the lazy ones in the process.
/// </summary>
internal sealed record PagemapImage(PageSpace Space, string PagesPath, IReadOnlyList<PageRun> Runs)
{
    /// <summary>The flag of a run whose content is in the images that these are built on.</summary>
    public const uint ParentFlag = 1;

    /// <summary>The flag of a run that CRIU could restore later than others.</summary>
    public const uint LazyFlag = 2;

    /// <summary>The flag of a run whose content is in the images.</summary>
    public const uint PresentFlag = 4;

    private const string Prefix = "pagemap-", SharedPrefix = "pagemap-shmem-", Suffix = ".img";

    /// <summary>All of a directory, processes first. Throws <see cref="ContainerException"/> for one that does not make sense.</summary>
    public static IReadOnlyList<PagemapImage> ReadAll(string imageDirectory) =>
    [
        .. from path in Directory.EnumerateFiles(imageDirectory, $"{Prefix}*{Suffix}")
           let image = Read(path)
           orderby image.Space.Kind, image.Space.Id
           select image,
    ];

    /// <summary>Is this an image of memory, which is in none of the others?</summary>
    public static bool IsMemory(string path) => Path.GetFileName(path) is var name
        && (name.StartsWith(Prefix, StringComparison.Ordinal) || name.StartsWith("pages-", StringComparison.Ordinal)) && name.EndsWith(Suffix, StringComparison.Ordinal);

    /// <summary>The number that is in the name of the file with the content, and the runs; false when the image is none.</summary>
    public static bool TryParse(ReadOnlySpan<byte> image, out ulong pagesId, out List<PageRun> runs)
    {
        (pagesId, runs) = (0, []);
        if (!ImageFile.TryParse(image, ImageFile.PagemapMagic, PagemapRecord.Parser, out List<PagemapRecord>? records) || records.Count == 0) return false;
        pagesId = records[0].Vaddr;
        ulong next = 0;
        foreach (PagemapRecord entry in records.Skip(1))
        {
            ulong pages = entry.HasNrPages ? entry.NrPages : entry.CompatNrPages;
            if (pages is 0 or > PageServerConversation.RunPagesMax || entry.Vaddr % PageRun.PageSize != 0 || entry.Vaddr < next) return false;
            if (entry.Vaddr > ulong.MaxValue - (pages * PageRun.PageSize)) return false;
            if (entry.Flags is 0 or > (LazyFlag | PresentFlag) || entry.Flags % LazyFlag != 0) return false;
            next = entry.Vaddr + (pages * PageRun.PageSize);
            runs.Add(new PageRun(entry.Vaddr, (uint)pages, entry.Flags));
        }

        return true;
    }

    private static PagemapImage Read(string path)
    {
        string name = Path.GetFileName(path);
        bool isShared = name.StartsWith(SharedPrefix, StringComparison.Ordinal);
        ReadOnlySpan<char> number = name.AsSpan()[(isShared ? SharedPrefix : Prefix).Length..^Suffix.Length];
        if (!ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out ulong id)
            || new FileInfo(path).Length > ImageFile.BytesMax || !TryParse(File.ReadAllBytes(path), out ulong pagesId, out List<PageRun> runs)
            || (isShared && runs.Any(run => !run.IsPresent)))
        {
            throw new ContainerException($"CRIU wrote an image that P2PMigrate cannot read: {name}. Use CRIU 4.2 or report this.");
        }

        var space = new PageSpace(isShared ? PageSpaceKind.SharedMemory : PageSpaceKind.Process, id);
        return new PagemapImage(space, Path.Combine(Path.GetDirectoryName(path)!, string.Create(CultureInfo.InvariantCulture, $"pages-{pagesId}{Suffix}")), runs);
    }
}
