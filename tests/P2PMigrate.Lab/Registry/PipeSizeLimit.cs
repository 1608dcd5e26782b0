using System.Globalization;

namespace P2PMigrate.Lab;

/// <summary>
/// <c>fs.pipe-max-size</c>, which is one for the whole machine. CRIU's lazy dump fills pipes far beyond the default
/// and, where root lacks CAP_SYS_RESOURCE, fails at it. Raised by the first lab, put back after the last one.
/// </summary>
internal static class PipeSizeLimit
{
    private const string Setting = "/proc/sys/fs/pipe-max-size";
    private const long Wanted = 268435456;

    private static string Remembered => Path.Combine(LabRegistry.StateDirectory, ".pipe-max-size");

    /// <summary>Call under the registry's lock.</summary>
    public static void Raise()
    {
        string found = File.ReadAllText(Setting).Trim();
        if (long.Parse(found, CultureInfo.InvariantCulture) >= Wanted) return;
        File.WriteAllText(Remembered, found);
        File.WriteAllText(Setting, Wanted.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Call under the registry's lock when no lab is left.</summary>
    public static void Restore()
    {
        if (!File.Exists(Remembered)) return;
        File.WriteAllText(Setting, File.ReadAllText(Remembered));
        File.Delete(Remembered);
    }
}
