using System.Globalization;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Trips;

/// <summary>What a machine holds that could leak: what <see cref="Leftovers"/> compares, and figures that may change a little.</summary>
internal sealed record Holdings(Leftovers Left, long StateBytes, long ChunkBytes, int OpenTickets, string Opened, long ResidentBytes)
{
    private const string State = "/var/lib/p2pmigrate";

    /// <summary>How many descriptors its program holds; <see cref="Opened"/> has a line for each, what it leads to.</summary>
    public int Descriptors => Count(Opened);

    public static async Task<Holdings> OfAsync(TripHost host) => new(
        await Leftovers.OnAsync(host.Host),
        await NumberAsync(host.Host, $"du -sb --exclude=chunks --exclude=containers --exclude='*.log' {State} | cut -f1"),
        await NumberAsync(host.Host, $"du -sb {State}/chunks 2>/dev/null | cut -f1 || echo 0"),
        (int)await NumberAsync(host.Host, $"grep -c open {State}/tickets || true"),
        await host.Host.ShellAsync("cd /proc/$(pgrep -f '[p]2pmigrate receive' | head -1)/fd && for each in *; do readlink $each; done | sort"),
        await NumberAsync(host.Host, "awk '/VmRSS/ {print $2 * 1024}' /proc/$(pgrep -f '[p]2pmigrate receive' | head -1)/status"));

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"state {StateBytes} bytes, kept content {ChunkBytes >> 20} MiB, {OpenTickets} open tickets, {Descriptors} descriptors, {ResidentBytes >> 20} MiB resident, "
        + $"{Count(Left.Mounts)} mounts, {Count(Left.Firewall)} lines of firewall, {Count(Left.Cgroups)} cgroups, {Count(Left.Programs)} kinds of programs, {Count(Left.Jobs)} jobs and bundles");

    private static int Count(string lines) => lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;

    private static async Task<long> NumberAsync(VirtualHost host, string script) =>
        long.TryParse((await host.ShellAsync(script)).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;
}
