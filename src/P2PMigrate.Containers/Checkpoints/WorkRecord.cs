using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Checkpoints;

/// <summary>
/// A small file in a job's work directory that tells a later process of ours what to undo. It only has to outlive our process, so it is replaced as a
/// whole but not flushed: after a reboot no process of which it speaks is left, which the boot id in it tells. What a runtime keeps on the disk may be (LXC's configuration).
/// </summary>
internal static class WorkRecord
{
    /// <summary>The boot in which we live.</summary>
    public static string CurrentBootId => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>When that boot was, to the second, rounded down. By the clock as it is set now, sleep included.</summary>
    public static DateTime BootTime => DateTime.UnixEpoch.AddSeconds(long.Parse(
        File.ReadLines("/proc/stat").First(line => line.StartsWith("btime ", StringComparison.Ordinal)).AsSpan("btime ".Length), CultureInfo.InvariantCulture));

    /// <summary>Writes a record; an earlier one is replaced as a whole.</summary>
    public static void Save<T>(string path, T record, JsonTypeInfo<T> type)
    {
        string draft = path + ".new";
        File.WriteAllBytes(draft, JsonSerializer.SerializeToUtf8Bytes(record, type));
        File.Move(draft, path, overwrite: true);
    }

    /// <summary>
    /// The record, or null when there is none. One that cannot be read is what a crash of the machine left: it speaks of containers that are gone, and
    /// counts as none. Throws <see cref="ContainerException"/> when it was written in this boot and cannot be read all the same.
    /// </summary>
    public static T? Load<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type);
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException) when (File.GetLastWriteTimeUtc(path) < BootTime)
        {
            return null;
        }
        catch (JsonException damaged)
        {
            throw new ContainerException($"The record {path} is damaged ({damaged.Message}). If no container of this job is frozen or half restored, remove the file and try again.");
        }
    }
}

/// <summary>The records of this folder, generated ahead of time.</summary>
[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(FenceRecord))]
[JsonSerializable(typeof(RestoreRecord))]
[JsonSerializable(typeof(RemainingRecord))]
internal sealed partial class RecordJson : JsonSerializerContext;
