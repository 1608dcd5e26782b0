using System.Text.RegularExpressions;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Faults;

/// <summary>Who ends a doubt.</summary>
internal static partial class Person
{
    private const int NoSuchJob = 2;

    /// <summary>
    /// Looks at the target first, keeps what is there unless it is refused or there is nothing, and then types the same at the source. A target whose
    /// job has ended has no such job any more; what runs there runs. <paramref name="told"/> is what the source's program has said. Returns what was typed and said.
    /// </summary>
    public static async Task<string> DecideAsync(VirtualHost source, VirtualHost target, string told)
    {
        Match match = JobInDoubt().Match(told);
        Assert.True(match.Success, $"In doubt, and no line to type: {told}");
        string job = match.Groups[1].Value, story = "";
        bool isThere = ContainerBundle.Find(target, WitnessContainer.Name).Pids.Count > 0;
        string keep = isThere && await ResolveAsync(target, "target") is 0 or NoSuchJob ? "target" : "source";
        if (keep == "source")
            await ResolveAsync(target, keep);
        Assert.True(await ResolveAsync(source, keep) == 0, story);
        return story;

        async Task<int> ResolveAsync(VirtualHost host, string side)
        {
            CommandResult said = await host.RunAsync(MigrationPeers.Program, ["resolve", job, "--keep", side, "--json"]);
            story += $"\nresolve --keep {side} at {host.Name}: {said}{said.Output}";
            return said.ExitCode;
        }
    }

    [GeneratedRegex("resolve ([0-9a-f]{32})")]
    private static partial Regex JobInDoubt();
}
