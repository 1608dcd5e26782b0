using System.Text.Json;
using System.Text.Json.Serialization;
using P2PMigrate.Containers.Checks;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Trees;

/// <summary>A file or directory that a tree expects at the target. <paramref name="Size"/> is null where it may differ: directories, and files that are written.</summary>
internal sealed record ExpectedFile(string Path, ulong? Size);

/// <summary>What a process tree needs of the machine that it comes to: what stands for the configuration of a container. The target's comes from the peer.</summary>
// spec: MIG-195
internal sealed record TreeConfiguration
{
    // spec: CONST-472, CONST-473
    private const int PidsMax = 16_384;
    private const int FilesMax = 2_048;
    private static readonly string[] s_made = ["/proc/", "/sys/", "/dev/pts/"];

    /// <summary>When its first process began, by the source's own count: nothing to the target.</summary>
    public ulong Started { get; init; }

    /// <summary>The numbers of its processes and of their threads, which are of one kind.</summary>
    public required IReadOnlyList<int> Pids { get; init; }

    /// <summary>Programs, libraries, open files, working directories.</summary>
    public required IReadOnlyList<ExpectedFile> Files { get; init; }

    /// <summary>Of a tree that runs.</summary>
    public static TreeConfiguration Of(IReadOnlyList<int> pids)
    {
        OpenFile[] open = [.. pids.SelectMany(OpenFile.Of).Where(file => file is { IsPath: true, IsDeleted: false })];
        HashSet<string> written = [.. open.Where(file => file.CanWrite).Select(file => file.Target)];
        IEnumerable<string> paths = [
            .. pids.SelectMany(ProcessTable.MappedFiles), .. pids.Select(pid => ProcessTable.LinkOf(pid, "cwd")).OfType<string>(), .. open.Select(file => file.Target),
        ];
        using var root = new RootedFile("/");
        return new TreeConfiguration
        {
            Started = ProcessIdentity.Of(pids[0])?.StartTicks ?? 0,
            Pids = [.. pids.SelectMany(ProcessTable.Threads).Take(PidsMax)],
            Files =
            [
                .. from path in paths.Distinct().Where(path => !IsMade(path)).Take(FilesMax)
                   let facts = root.Look(path)
                   where facts is not null
                   select new ExpectedFile(path, facts.Value.IsRegular && !written.Contains(path) ? facts.Value.Size : null),
            ],
        };
    }

    /// <summary>Is it a file that the kernel makes, or a restore?</summary>
    public static bool IsMade(string path) => s_made.Any(directory => path.StartsWith(directory, StringComparison.Ordinal));

    /// <summary>Reads one; null for anything of another form, or beyond the bounds.</summary>
    public static TreeConfiguration? Parse(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, TreeJson.Default.TreeConfiguration) is { Pids: not null, Files: not null } read && read.IsWithinBounds ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, TreeJson.Default.TreeConfiguration);

    private bool IsWithinBounds =>
        Pids.Count is > 0 and <= PidsMax && Pids.All(pid => pid > 0) && Files.Count <= FilesMax && Files.All(file => file is { Path: ['/', ..] } && !file.Path.Contains('\0', StringComparison.Ordinal));
}

/// <summary>The configuration, generated ahead of time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TreeConfiguration))]
internal sealed partial class TreeJson : JsonSerializerContext;
