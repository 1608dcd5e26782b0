using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>Process trees without a container, with the shipped program, between machines that share a directory, where their files are.</summary>
public sealed class ProcessTreeMigrationTests(ITestOutputHelper output) : IDisposable
{
    private const string Shared = "/shared";
    private const string Local = "/opt/local"; // locks and the bytes of a FIFO are with the file, and the lab's machines have one kernel
    private const string Contents = "contents.py", Right = "right";
    private const int First = 30_000; // no process of either machine comes near

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    private readonly string _shared = Directory.CreateTempSubdirectory("p2pmigrate-shared-").FullName;

    [Fact]
    [Trait("Spec", "MIG-195")]
    public async Task Every_content_goes_on_after_a_rollback_there_and_back()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync(binds: new BindMount(_shared, Shared));
        await StartAsync(peers.Source, Contents, "without=tmpfs", "without=sysv");
        await WaitForAsync("ready");
        await peers.Target.ShellAsync($"mkdir -p {Local}; cd {Local}; mkfifo fifo; touch locked flocked"); // files do not move
        List<(string Content, string Verdict)> seen = [.. await AskAsync(1)];

        CommandResult kept = await peers.Source.RunAsync(NodeCommand.Shell($"{MigrationPeers.Program} checkpoint --pid {First} -o /tmp/kept --leave-running"));
        Assert.True(kept.Succeeded, kept.Output + kept.Error);
        seen.AddRange(await AskAsync(2));

        MigrateResult there = await MigrateAsync(peers);
        Assert.True(there.ExitCode == 0, there.Everything);
        Assert.Equal(("", $"{First}"), (await FindAsync(peers.Source), await FindAsync(peers.Target)));
        seen.AddRange(await AskAsync(3));

        MigrateResult back = await peers.MigrateBackAsync($"pid-{First}");
        Assert.True(back.ExitCode == 0, back.Everything);
        Assert.Equal(($"{First}", ""), (await FindAsync(peers.Source), await FindAsync(peers.Target)));
        seen.AddRange(await AskAsync(4));

        string[] rows = [.. seen.GroupBy(each => each.Content, each => each.Verdict).Select(content => $"| {content.Key} | criu | {(content.FirstOrDefault(verdict => verdict != Right) is { } wrong ? $"FAILS: {wrong}" : "moves")} |")];
        foreach (string row in rows)
            output.WriteLine(row);
        if (Environment.GetEnvironmentVariable("P2PMIGRATE_CONFORMANCE_TABLE") is { Length: > 0 } table)
            await File.AppendAllLinesAsync(table, rows, TestContext.Current.CancellationToken);
        Assert.Empty(seen.Where(each => each.Verdict != Right));
        Assert.Equal("", await peers.Target.ShellAsync("ls -d /sys/fs/cgroup/p2pmigrate-* 2>/dev/null || :"));
    }

    [Fact]
    [Trait("Spec", "MIG-198")]
    public async Task A_server_loses_its_clients_and_serves_them_at_the_targets_address()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync(binds: new BindMount(_shared, Shared));
        await File.WriteAllTextAsync(Path.Combine(_shared, "server.py"), CountingClient.Server + "\n", TestContext.Current.CancellationToken);
        await StartAsync(peers.Source, "server.py");
        await peers.Source.ShellAsync("timeout 60 sh -c 'until ss -Hltn \"sport = :7000\" | grep -q .; do sleep 0.05; done'");
        await peers.Source.ShellAsync("python3 -c 'import socket, time; s = socket.create_connection((\"127.0.0.1\", 7000)); s.send(b\"?\"); assert s.recv(9) == b\"1 1\\n\"; open(\"/tmp/connected\", \"w\"); open(\"/tmp/end\", \"w\").write(repr(s.recv(9)))' </dev/null >/tmp/client 2>&1 &");
        await peers.Source.ShellAsync("timeout 20 sh -c 'until [ -e /tmp/connected ]; do sleep 0.05; done' || cat /tmp/client");
        string ticket = await peers.ReceiveAsync();

        CommandResult check = await peers.Source.RunAsync(NodeCommand.Shell($"{MigrationPeers.Program} check --pid {First} --to {ticket}"));
        Assert.True(check.ExitCode == 0, check.Output + check.Error);
        Assert.Contains("connected with others by TCP (127.0.0.1:", check.Output, StringComparison.Ordinal);

        MigrateResult there = await MigrateAsync(peers, ticket);
        Assert.True(there.ExitCode == 0, there.Everything);
        Assert.Equal("b''", (await peers.Source.ShellAsync("timeout 20 sh -c 'until [ -s /tmp/end ]; do sleep 0.05; done'; cat /tmp/end")).Trim());
        Assert.Equal("2 2", (await peers.Target.ShellAsync("python3 -c 'import socket; s = socket.create_connection((\"127.0.0.1\", 7000)); s.send(b\"?\"); print(s.recv(9).decode())'")).Trim());
    }

    [Fact]
    [Trait("Spec", "MIG-196")]
    public async Task What_the_target_lacks_is_told_before_anything_is_touched()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync(binds: new BindMount(_shared, Shared));
        await File.WriteAllTextAsync(Path.Combine(_shared, "server.py"), CountingClient.Server + "\n", TestContext.Current.CancellationToken);
        await peers.Source.ShellAsync("mkdir /opt/work");
        await StartInAsync("/opt/work", peers.Source, "server.py");
        await StartAsync(peers.Target, "server.py");
        string ticket = await peers.ReceiveAsync();

        MigrateResult refused = await MigrateAsync(peers, ticket);
        Assert.True(refused.ExitCode == 3, refused.Everything);
        Assert.Contains($"Process {First} (python3) runs here already", refused.Everything, StringComparison.Ordinal);
        Assert.Contains("/opt/work, which the process tree uses, is missing here.", refused.Everything, StringComparison.Ordinal);
        Assert.Equal($"{First}", await FindAsync(peers.Source));
        Assert.Equal("0::/init", (await peers.Source.ShellAsync($"grep ^0:: /proc/{First}/cgroup")).Trim());

        CommandResult both = await peers.Source.RunAsync(NodeCommand.Shell($"{MigrationPeers.Program} migrate web --pid {First} --to {ticket}"));
        Assert.Equal(2, both.ExitCode);
        CommandResult neither = await peers.Source.RunAsync(NodeCommand.Shell($"{MigrationPeers.Program} migrate --to {ticket}"));
        Assert.Contains("--pid NUMBER", neither.Error + neither.Output, StringComparison.Ordinal);
        CommandResult gone = await peers.Source.RunAsync(NodeCommand.Shell($"{MigrationPeers.Program} check --pid 999999"));
        Assert.Contains("There is no process 999999 here.", gone.Error + gone.Output, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_shared, recursive: true);

    private async Task<MigrateResult> MigrateAsync(MigrationPeers peers, string? ticket = null)
    {
        CommandResult result = await peers.Source.RunAsync(NodeCommand.Shell($"{MigrationPeers.Program} migrate --pid {First} --to {ticket ?? await peers.ReceiveAsync()} --json"));
        string last = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "{}";
        output.WriteLine(result.Output + result.Error);
        return new MigrateResult(result.ExitCode, System.Text.Json.JsonDocument.Parse(last).RootElement, result.Output + result.Error);
    }

    /// <summary>Starts a program of the shared directory as process <see cref="First"/>, in a session of its own, with no descriptor but /dev/null.</summary>
    private Task StartAsync(VirtualHost host, string program, params string[] arguments) => StartInAsync(Shared, host, program, arguments);

    private async Task StartInAsync(string directory, VirtualHost host, string program, params string[] arguments)
    {
        await PutAsync("start.py");
        if (program == Contents)
            await PutAsync(program);
        await host.ShellAsync($"mkdir -p {Local}; python3 {Shared}/start.py {First} {directory} AT={Shared} LOCAL={Local} -- python3 {Shared}/{program} {string.Join(' ', arguments)}");
    }

    /// <summary>Writes a program of this assembly into the shared directory.</summary>
    private async Task PutAsync(string program)
    {
        await using Stream text = typeof(ProcessTreeMigrationTests).Assembly.GetManifestResourceStream(program)!;
        await using FileStream copy = File.Create(Path.Combine(_shared, program));
        await text.CopyToAsync(copy, TestContext.Current.CancellationToken);
    }

    private async Task WaitForAsync(string name)
    {
        for (long deadline = Environment.TickCount64 + (long)s_limit.TotalMilliseconds; !File.Exists(Path.Combine(_shared, name)); await Task.Delay(20, TestContext.Current.CancellationToken))
            Assert.True(Environment.TickCount64 < deadline, $"no {name}; at last it {Said()}");
    }

    private string? Said() => Path.Combine(_shared, "said") is var said && File.Exists(said) ? File.ReadLines(said).LastOrDefault() : "said nothing";

    /// <summary>Has the program look at all it holds.</summary>
    private async Task<IReadOnlyList<(string Content, string Verdict)>> AskAsync(int number)
    {
        string answer = Path.Combine(_shared, "answer");
        await File.WriteAllTextAsync(Path.Combine(_shared, "ask.new"), $"{number}", TestContext.Current.CancellationToken);
        File.Move(Path.Combine(_shared, "ask.new"), Path.Combine(_shared, "ask"), overwrite: true);
        for (long deadline = Environment.TickCount64 + (long)s_limit.TotalMilliseconds; ; await Task.Delay(20, TestContext.Current.CancellationToken))
        {
            string[] lines = File.Exists(answer) ? await File.ReadAllLinesAsync(answer, TestContext.Current.CancellationToken) : [""];
            if (lines[0] == $"{number}")
                return [.. lines[1..].Select(line => line.Split(": ", 2)).Select(parts => (parts[0], parts[1]))];
            Assert.True(Environment.TickCount64 < deadline, $"no answer to question {number}; at last it {Said()}");
        }
    }

    private static async Task<string> FindAsync(VirtualHost host) => (await host.ShellAsync($"grep -qs '^State:.[^Z]' /proc/{First}/status && echo {First} || :")).Trim();
}
