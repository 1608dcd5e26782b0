namespace P2PMigrate.Lab.Tests;

/// <summary>Everything on the machine that bears one lab's name. A network namespace without name, mount or process is none: the kernel drops it.</summary>
internal static class Footprint
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Fails unless all of it is gone. Waits a little: another lab that starts at this moment copies the machine's
    /// mounts before it lets go of them.
    /// </summary>
    public static async Task AssertGoneAsync(string lab)
    {
        using var limit = new CancellationTokenSource(Settling);
        while (!limit.IsCancellationRequested && Of(lab).Any()) await Task.Delay(20);
        Assert.Empty(Of(lab));
    }

    public static IEnumerable<string> Of(string lab) =>
    [
        .. Directories("/run/netns", $"p2plab-{lab}.*"),
        .. Directories(LabRegistry.StateDirectory, lab),
        .. Directories(LabRegistry.WorkDirectory, lab),
        .. Directory.GetDirectories("/sys/fs/cgroup", $"p2plab-{lab}", SearchOption.AllDirectories),
        .. ProcessesOf(lab),
        .. AllProcesses().DistinctBy(process => LinkOf(process + "/ns/mnt")).SelectMany(process => MountsOf(process)
            .Where(mount => Bears(mount, lab))
            .Select(mount => $"{process} {Read(process + "/comm").Trim()} sees {mount}")),
    ];

    private static bool Bears(string mount, string lab) =>
        mount.Contains($"p2plab-{lab}", StringComparison.Ordinal) || mount.Contains($"p2pmigrate-lab/{lab}", StringComparison.Ordinal);

    private static IEnumerable<string> ProcessesOf(string lab) =>
        AllProcesses().Where(process => Read(process + "/cgroup").Contains($"p2plab-{lab}/", StringComparison.Ordinal));

    private static IEnumerable<string> AllProcesses() =>
        Directory.GetDirectories("/proc").Where(directory => char.IsAsciiDigit(Path.GetFileName(directory)[0]));

    private static string[] MountsOf(string process) => Read(process + "/mountinfo").Split('\n');

    private static string[] Directories(string parent, string pattern) =>
        Directory.Exists(parent) ? Directory.GetFileSystemEntries(parent, pattern) : [];

    private static string LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget ?? "";
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
