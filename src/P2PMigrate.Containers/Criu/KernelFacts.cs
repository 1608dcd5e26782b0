using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// CRIU tries out what the kernel can when it first runs after a boot, and keeps the answers in a file. That must not happen while a
/// container stands still.
/// </summary>
internal static class KernelFacts
{
    private const string Cache = "/run/criu.kdat";

    /// <summary>Has CRIU find out now, unless it knows already. What it thinks of the machine is the checks' business.</summary>
    public static async Task WarmAsync(string criu, CancellationToken cancellationToken)
    {
        if (!File.Exists(Cache)) await Tool.RunAsync(criu, ["check"], cancellationToken).ConfigureAwait(false);
    }
}
