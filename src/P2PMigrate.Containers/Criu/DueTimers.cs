using P2PMigrate.Containers.Criu.Messages;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// A periodic timer descriptor that is due, and was not read since, has no time left until it is due. CRIU restores that as a timer that is switched off, and a program that waits for
/// it waits for ever. So it gets the shortest time there is: where it goes on, it is due at once, as it was.
/// </summary>
// spec: MIG-164
internal static class DueTimers
{
    /// <summary>To such a timer CRIU adds the clock's time.</summary>
    private const uint AbsoluteTime = 1;

    /// <summary>Corrects the image of open files, if there is such a timer in it.</summary>
    public static void Rearm(string imageDirectory)
    {
        string path = Path.Combine(imageDirectory, "files.img"), draft = path + ".new";
        if (!ImageFile.TryReadFile(path, ImageFile.FilesMagic, FileEntry.Parser, out List<FileEntry>? files))
        {
            throw new ContainerException("CRIU wrote an image that P2PMigrate cannot read (files.img).");
        }

        TimerDescriptorEntry[] due = [.. files.Select(file => file.Timer).OfType<TimerDescriptorEntry>().Where(IsDue)];
        if (due.Length == 0) return;
        foreach (TimerDescriptorEntry timer in due) timer.LeftNanoseconds = 1;
        using (FileStream image = File.Create(draft))
        {
            ImageFile.WriteMagic(image, ImageFile.FilesMagic);
            foreach (FileEntry file in files) ImageFile.WriteRecord(image, file);
        }

        File.Move(draft, path, overwrite: true);
    }

    // One that is switched off has an interval too, but has not been due since.
    private static bool IsDue(TimerDescriptorEntry timer) =>
        timer is { Ticks: > 0, LeftSeconds: 0, LeftNanoseconds: 0 } and not { IntervalSeconds: 0, IntervalNanoseconds: 0 } && (timer.SetFlags & AbsoluteTime) == 0;
}
