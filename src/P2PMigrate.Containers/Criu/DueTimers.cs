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

    /// <summary>Corrects the image of open files, if there is such a timer in it. Records of other files stay byte for byte: what is in them is not always known here, nor always text.</summary>
    public static void Rearm(string imageDirectory)
    {
        string path = Path.Combine(imageDirectory, "files.img"), draft = path + ".new";
        byte[] image = File.Exists(path) ? File.ReadAllBytes(path) : [];
        if (image.Length == 0) return;
        if (!ImageFile.TryParse(image, ImageFile.FilesMagic, FileEntry.Parser, out List<FileEntry>? files))
        {
            throw new ContainerException("CRIU wrote an image that P2PMigrate cannot read (files.img).");
        }

        if (!files.Any(IsDue)) return;
        using (FileStream corrected = File.Create(draft)) Write(corrected, image, files);
        File.Move(draft, path, overwrite: true);
    }

    private static void Write(FileStream corrected, byte[] image, List<FileEntry> files)
    {
        int at = ImageFile.HeadLength;
        corrected.Write(image, 0, at);
        foreach (FileEntry file in files)
        {
            int length = ImageFile.RecordLengthAt(image, at);
            if (IsDue(file))
            {
                file.Timer.LeftNanoseconds = 1;
                ImageFile.WriteRecord(corrected, file);
            }
            else
            {
                corrected.Write(image, at, length);
            }

            at += length;
        }
    }

    // One that is switched off has an interval too, but has not been due since.
    private static bool IsDue(FileEntry file) =>
        file.Timer is { Ticks: > 0, LeftSeconds: 0, LeftNanoseconds: 0 } timer and not { IntervalSeconds: 0, IntervalNanoseconds: 0 } && (timer.SetFlags & AbsoluteTime) == 0;
}
