namespace P2PMigrate.TunnelBench.Contenders;

/// <summary>What the machine has, and where bench/install puts what it does not have.</summary>
internal static class Tools
{
    public const string Cache = "/var/cache/p2pmigrate-bench";

    public static bool Has(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Combine(directory, program)));
}
