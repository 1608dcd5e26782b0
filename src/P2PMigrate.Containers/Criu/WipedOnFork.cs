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
            string path = Path.Combine(imageDirectory, string.Create(CultureInfo.InvariantCulture, $"mm-{image}.img"));
            if (!ImageFile.TryReadFile(path, ImageFile.MemoryMagic, MappingsEntry.Parser, out List<MappingsEntry>? memory)) throw new ContainerException($"The image {path} is damaged. Start the migration again.");
            List<MappingEntry> wiped = [.. memory.SelectMany(entry => entry.Mappings).Where(mapping => (mapping.Advice & Advice) != 0)];
            if (wiped.Count > 0) PagemapChain.Rewrite(imageDirectory, image, run => Split(run, wiped));
        }
    }

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
