using System.Globalization;
using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// Memory that a process keeps from its children (<c>MADV_WIPEONFORK</c>), such as the state of a random generator. It is restored with what cannot be late: of a child that is forked before a page has come nobody could
/// tell that this one is not for it.
/// </summary>
// spec: MEM-45
internal static class WipedOnFork
{
    private const ulong Advice = 1UL << 18;

    /// <summary>Changes the images at the target so that CRIU does not leave such memory for later.</summary>
    public static void RestoreFirst(string imageDirectory)
    {
        foreach (ulong image in PagemapChain.ProcessesIn(imageDirectory).ToList())
        {
            List<MappingEntry> wiped = MappingsOf(imageDirectory, image);
            if (wiped.Count > 0) PagemapChain.Rewrite(imageDirectory, image, run => PagemapChain.IsAwaited(run) && IsAny(run, wiped) ? throw Awaited(image) : Split(run, wiped));
        }
    }

    /// <summary>The runs of an image of the local CRIU, those of such memory apart from others and not lazy.</summary>
    public static List<PageRun> Apart(string imageDirectory, PagemapImage image)
    {
        List<MappingEntry> wiped = MappingsOf(imageDirectory, image.Space.Id);
        return wiped.Count == 0 ? [.. image.Runs] : [.. image.Runs.SelectMany(run => Split(run, wiped))];
    }

    private static List<MappingEntry> MappingsOf(string imageDirectory, ulong image)
    {
        string path = Path.Combine(imageDirectory, string.Create(CultureInfo.InvariantCulture, $"mm-{image}.img"));
        return ImageFile.TryReadFile(path, ImageFile.MemoryMagic, MappingsEntry.Parser, out List<MappingsEntry>? memory)
            ? [.. memory.SelectMany(entry => entry.Mappings).Where(mapping => (mapping.Advice & Advice) != 0)]
            : throw new ContainerException($"The image {path} is damaged. Start the migration again.");
    }

    private static bool IsAny(PageRun run, List<MappingEntry> wiped) =>
        wiped.Exists(mapping => mapping.Start < run.Address + ((ulong)run.Pages * PageRun.PageSize) && run.Address < mapping.End);

    private static ContainerException Awaited(ulong image) => new($"The source left memory of process {image} for later that must not come late (MADV_WIPEONFORK). Start the migration again.");

    private static IEnumerable<PageRun> Split(PageRun run, List<MappingEntry> wiped)
    {
        const ulong page = PageRun.PageSize;
        ulong end = run.Address + (run.Pages * page);
        for (ulong at = run.Address; at < end;)
        {
            MappingEntry? here = wiped.Find(mapping => mapping.Start <= at && at < mapping.End);
            ulong until = here?.End ?? wiped.Where(mapping => mapping.Start > at).Select(mapping => mapping.Start).Append(end).Min();
            until = Math.Min(until, end);
            yield return new PageRun(at, (uint)((until - at) / page), here is null ? run.Flags : run.Flags & ~PagemapImage.LazyFlag);
            at = until;
        }
    }
}
