namespace P2PMigrate.Lab;

/// <summary>What must be so on the machine before a lab can be raised.</summary>
public static class LabGround
{
    private const int CapSysAdmin = 21;

    private static readonly string[] s_programs =
        ["mmdebstrap", "ip", "nft", "nsenter", "unshare", "setsid", "pivot_root", "mount", "chroot", "tcpdump"];

    /// <summary>Why no lab can be raised here, in a sentence; null when it can. Tests skip with it.</summary>
    public static string? WhyNot { get; } = FindObstacle();

    /// <summary>For <c>Assert.SkipUnless</c>.</summary>
    public static bool IsFit => WhyNot is null;

    /// <summary>Clears away what crashed owners left.</summary>
    internal static Task TidyAsync(CancellationToken cancellationToken) =>
        WhyNot is null ? LabRemains.RemoveOrphansAsync(cancellationToken) : throw new LabException(WhyNot);

    /// <summary>Clears away what crashed owners left and sees that the usual root file system is there, or one with more <paramref name="packages"/>.</summary>
    internal static async Task<RootfsImage> PrepareAsync(CancellationToken cancellationToken, params IEnumerable<string> packages)
    {
        await TidyAsync(cancellationToken).ConfigureAwait(false);
        return await new RootfsBuilder(Console.Error.WriteLine).EnsureAsync(new RootfsRecipe().With(packages), cancellationToken).ConfigureAwait(false);
    }

    private static string? FindObstacle()
    {
        if (!OperatingSystem.IsLinux()) return "the lab needs Linux";
        if (!Environment.IsPrivilegedProcess || !HasCapability(CapSysAdmin)) return "the lab needs root with CAP_SYS_ADMIN";
        if (!File.ReadAllText("/proc/self/mountinfo").Contains(" - cgroup2 ", StringComparison.Ordinal)) return "the lab needs a cgroup2 mount";
        string[] missing = [.. s_programs.Where(program => !IsOnPath(program))];
        return missing.Length == 0 ? null : $"the lab needs {string.Join(", ", missing)}; run tests/install";
    }

    private static bool HasCapability(int number)
    {
        string effective = File.ReadLines("/proc/self/status").First(line => line.StartsWith("CapEff:", StringComparison.Ordinal));
        return (Convert.ToUInt64(effective["CapEff:".Length..].Trim(), 16) >> number & 1) == 1;
    }

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Append("/sbin")
            .Any(directory => File.Exists(Path.Combine(directory, program)));
}
