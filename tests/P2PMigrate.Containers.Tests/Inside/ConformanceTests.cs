using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>
/// What every runtime must bring along, content by content, through a rollback and two moves; and what cannot move, with the sentence that says so before anything is touched.
/// Each says a row of the table that <c>tests/conformance</c> prints.
/// </summary>
public sealed class ConformanceTests
{
    private const string Firewall = "nftables rules that nothing has written down", Rule = "tcp dport 9999 drop";
    private const string Right = "right", Outside = "process started from outside";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [InsideFact]
    [EveryRuntime]
    public async Task Every_content_goes_on_after_a_rollback_and_after_each_of_two_moves()
    {
        await using Workload workload = await Workload.RunningAsync("contents.py");
        await RunInNetworkAsync(workload.Name, $"nft add table inet kept; nft add chain inet kept input; nft add rule inet kept input {Rule}");
        List<Content> seen = [.. await AskAsync(workload.Name, workload.Root, 1)];
        await using Move there = await Move.PrepareAsync(workload.Name);
        IReadOnlyList<Finding> findings = await Move.Runtime.CheckSourceAsync(there.Container, Token);
        Assert.DoesNotContain(findings, finding => finding.Severity == FindingSeverity.Blocker);
        Finding? firewall = findings.SingleOrDefault(finding => finding.Subject == "firewall");
        await using (IFence fence = await there.FreezeAsync())
        {
            await there.DumpAsync(fence);
            await fence.ThawAsync(Token);
        }

        seen.AddRange(await AskAsync(workload.Name, workload.Root, 2));
        await Shell.RunAsync($"rm -rf {there.Request.ImageDirectory}/*");
        seen.AddRange(await AskAsync(there.Request.Container.Name, await GoAsync(there), 3));
        await using Move onward = await Move.PrepareAsync(there.Request.Container.Name);
        seen.AddRange(await AskAsync(onward.Request.Container.Name, await GoAsync(onward), 4));

        if (firewall is not null)
        {
            seen.RemoveAll(each => each.Name == Firewall);
            ConformanceTable.Tell(Firewall, $"“{firewall.Message}”");
        }

        foreach (IGrouping<string, Content> content in seen.GroupBy(each => each.Name)) ConformanceTable.Tell(content.Key, content.FirstOrDefault(each => each.Verdict != Right) is { } wrong ? $"FAILS: {wrong.Verdict}" : ConformanceTable.Moves);
        Assert.Empty(seen.Where(each => each.Verdict != Right));
    }

    [InsideFact]
    [EveryRuntime(AndTrees = true)]
    public async Task What_cannot_move_is_found_while_it_runs_and_goes_on()
    {
        (string Holding, string Content, string Said)[] all =
        [
            ("io_uring", "io_uring", "holds io_uring"),
            ("userfaultfd", "userfaultfd", "holds userfaultfd"),
            ("user-namespace", "user namespace of its own inside", "has a user namespace of its own"),
            ("uts-namespace", "UTS namespace of its own inside", "has a uts namespace of its own"),
            ("ipc-namespace", "IPC namespace of its own inside", "has an ipc namespace of its own"),
            ("pid-namespace", "PID namespace of its own inside", "has a pid namespace of its own"),
            ("big-removed-file", "removed file of 400 MB that is open", "open with 400 MB"),
            ("pressure", "file of the kernel's stalls", "waits for /proc/pressure/memory"),
            ("nothing", Outside, "was started from outside"),
            ("System-V", "SysV memory, semaphore and messages", "uses System V shared memory"),
            ("file-of-the-machine", "file on a tmpfs", "writes /dev/shm/kept"),
            ("nothing", Firewall, "firewall rules stay here"),
        ];
        bool isTree = IGround.Current is TreeGround;
        foreach ((string holding, string content, string said) in isTree ? all.Where(each => each.Content != Outside) : all[..^3])
        {
            await using Workload workload = await Workload.RunningAsync("contents.py", holding);
            if (content == Outside) await Shell.RunAsync(IGround.Current.Attachment(workload.Name, "sleep 1000"));
            await using Move move = await Move.PrepareAsync(workload.Name);
            Finding finding = (await Move.Runtime.CheckSourceAsync(move.Container, Token)).First(finding => finding.Message.Contains(said, StringComparison.Ordinal));
            Assert.Equal(content is Firewall or "file on a tmpfs" ? FindingSeverity.Warning : FindingSeverity.Blocker, finding.Severity);
            Assert.NotNull(finding.Remedy);
            Assert.Equal("running", await Workload.StatusAsync(workload.Name));
            ConformanceTable.Tell(content, $"“{finding.Message}”");
        }

        if (!isTree) return;
        ConformanceTable.Tell(Outside, "none of the tree");
        ConformanceTable.Tell(ConformanceTable.Volumes, "its files are the machine's, and expected at the target");
        ConformanceTable.Tell(ConformanceTable.MappedUsers, "as a user namespace of its own inside");
    }

    private static async Task<string> GoAsync(Move move)
    {
        await using IFence fence = await move.FreezeAsync();
        await move.DumpAsync(fence);
        await move.CopyAsync();
        await using IHeldContainer held = await move.RestoreAsync();
        await held.ReleaseAsync(Token);
        await fence.DestroyAsync(Token);
        return move.Request.RootPath;
    }

    private static async Task<string> RunInNetworkAsync(string name, string script) =>
        await Shell.RunAsync($"nsenter -t {await IGround.Current.InitPidAsync(name)} -n sh -ec '{script}'");

    /// <summary>Has the program in the container look at all it holds, and looks at what the kernel holds for it.</summary>
    private static async Task<IReadOnlyList<Content>> AskAsync(string name, string root, int number)
    {
        await File.WriteAllTextAsync($"{root}/ask.new", $"{number}", Token);
        File.Move($"{root}/ask.new", $"{root}/ask", overwrite: true);
        for (var limit = System.Diagnostics.Stopwatch.StartNew(); ; await Task.Delay(20, Token))
        {
            string[] lines = File.Exists($"{root}/answer") ? await File.ReadAllLinesAsync($"{root}/answer", Token) : [""];
            if (lines[0] == $"{number}")
            {
                string rules = await RunInNetworkAsync(name, "nft list ruleset");
                Content[] told = [.. lines[1..].Select(line => line.Split(": ", 2)).Select(parts => new Content(parts[0], parts[1]))];
                return [.. told, new Content(Firewall, rules.Contains(Rule, StringComparison.Ordinal) ? Right : rules)];
            }

            Assert.True(limit.Elapsed < s_limit, $"no answer to question {number}, but to {lines[0]}; at last it {File.ReadLines($"{root}/said").LastOrDefault()}");
        }
    }

    private sealed record Content(string Name, string Verdict);
}
