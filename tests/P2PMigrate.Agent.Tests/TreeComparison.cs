using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;

namespace P2PMigrate.Agent.Tests;

/// <summary>
/// Compares the root file system that stayed at the source, as it was when frozen, with the one that arrived, by rsync and
/// find and not by the code under test. What the witness itself goes on writing after it arrived is left out: it testifies for that.
/// </summary>
internal static class TreeComparison
{
    /// <summary>One line per difference.</summary>
    public static async Task<string> DifferencesAsync(MigrationPeers peers)
    {
        string source = peers.Source.PathOf($"/data/{WitnessContainer.Name}/rootfs/");
        string target = peers.Target.PathOf($"/var/lib/p2pmigrate/containers/{WitnessContainer.Name}/rootfs/");
        string content = await RunAsync(
            "rsync", "-aHAX", "--numeric-ids", "--checksum", "--dry-run", "--delete", "--itemize-changes",
            "--exclude=/srv/churn/*", "--exclude=/srv/log.txt", "--out-format=%i %n", source, target);
        string times = await DiffAsync(source, target, "-not -path './srv/churn*' -not -name log.txt -printf '%P %T@ %n\\n'");
        string holes = await DiffAsync(source, target, "-name sparse -printf '%P %s %b\\n'");
        return string.Join('\n', content.Split('\n').Where(line => !line.Contains("srv/churn/")).Concat([times, holes]).Where(text => text.Length > 0));
    }

    private static Task<string> DiffAsync(string source, string target, string find) => RunAsync(
        "bash", "-c", $"diff <(cd {source} && find . {find} | sort) <(cd {target} && find . {find} | sort) || true");

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
        })!;
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} exited with {process.ExitCode}");
        return output.Trim();
    }
}
