using System.Text.RegularExpressions;

namespace P2PMigrate.Lab;

/// <summary>The labs of this machine, one directory each below <see cref="StateDirectory"/>; shared by all processes that raise labs.</summary>
internal static partial class LabRegistry
{
    public const string StateDirectory = "/run/p2pmigrate-lab";

    /// <summary>Where hosts write: on a real file system, unlike /run.</summary>
    public const string WorkDirectory = "/var/lib/p2pmigrate-lab";

    private static readonly TimeSpan LockRetry = TimeSpan.FromMilliseconds(50);

    public static string StateOf(string lab) => Path.Combine(StateDirectory, Checked(lab));

    public static string WorkOf(string lab) => Path.Combine(WorkDirectory, Checked(lab));

    public static string RecordOf(string lab) => Path.Combine(StateOf(lab), "lab.json");

    public static bool Knows(string lab) => Directory.Exists(StateOf(lab));

    public static LabRecord? TryFind(string lab) => LabRecord.TryRead(RecordOf(lab));

    public static IReadOnlyList<LabRecord> List()
    {
        if (!Directory.Exists(StateDirectory)) return [];
        IEnumerable<string> names = Directory.GetDirectories(StateDirectory).Select(directory => Path.GetFileName(directory)!);
        return [.. names.Where(name => ValidName().IsMatch(name)).Select(TryFind).OfType<LabRecord>()];
    }

    /// <summary>Names end up in paths that are removed, and in namespaces and cgroups where a dot divides the lab from the node.</summary>
    public static string Checked(string name) => ValidName().IsMatch(name)
        ? name
        : throw new LabException($"`{name}` is no name for a lab or host: 1 to 24 of a-z, 0-9 and -");

    /// <summary>A name that no other lab has.</summary>
    public static string InventName() => "t" + Guid.NewGuid().ToString("N")[..8];

    /// <summary>Serialises claims and releases between processes; dispose to let the next one in.</summary>
    public static async Task<IDisposable> LockAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(StateDirectory);
        while (true)
        {
            try
            {
                return new FileStream(Path.Combine(StateDirectory, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(LockRetry, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,23}$")]
    private static partial Regex ValidName();
}
