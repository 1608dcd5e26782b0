using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace P2PMigrate.Lab;

/// <summary>
/// One machine of the lab's network: a network namespace with a cgroup of its own. Programs that run in it see its
/// interfaces and, unless it is a <see cref="VirtualHost"/>, the file system and processes of the machine.
/// Members may be called from any thread.
/// </summary>
public class LabNode
{
    private readonly LabScope _scope;

    internal LabNode(LabScope scope, string name)
    {
        _scope = scope;
        Name = name;
    }

    public string Name { get; }

    /// <summary>The one processor that programs started from now on run on, as on a machine that has only one; null: any.</summary>
    public int? Processor { get; set; }

    /// <summary>The name under which <c>ip netns</c> knows this node's network.</summary>
    public string NetworkNamespace => _scope.NetworkNamespaceOf(Name);

    internal string NetworkNamespacePath => "/run/netns/" + NetworkNamespace;

    /// <summary>Runs a program to its end.</summary>
    public Task<CommandResult> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken = default) =>
        RunAsync(new NodeCommand(program, arguments), cancellationToken);

    /// <summary>Runs a program to its end; a cancelled wait kills it.</summary>
    public async Task<CommandResult> RunAsync(NodeCommand command, CancellationToken cancellationToken = default)
    {
        string[] entry = Entry(command);
        CommandResult result = await Tool.RunAsync(entry[0], entry[1..], command.Input, cancellationToken).ConfigureAwait(false);
        return result with { CommandLine = $"{Name}: {command}" };
    }

    /// <summary>Runs a shell script to its end and throws a <see cref="LabException"/> unless it succeeds; returns what it printed.</summary>
    public async Task<string> ShellAsync(string script, CancellationToken cancellationToken = default)
    {
        CommandResult result = await RunAsync(NodeCommand.Shell(script), cancellationToken).ConfigureAwait(false);
        return result.EnsureSuccess().Output;
    }

    /// <summary>Starts a program and returns without waiting for its end. The caller disposes of it, which kills it.</summary>
    public Task<LabProcess> StartAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken = default) =>
        StartAsync(new NodeCommand(program, arguments), cancellationToken);

    /// <inheritdoc cref="StartAsync(string, IReadOnlyList{string}, CancellationToken)"/>
    public Task<LabProcess> StartAsync(NodeCommand command, CancellationToken cancellationToken = default) =>
        LabProcess.StartAsync($"{Name}: {command}", Entry(command), command.Input, EntryForks, cancellationToken);

    /// <summary>Opens a socket that belongs to this node's network but is used from this process.</summary>
    public Socket OpenSocket(SocketType socketType, ProtocolType protocolType, AddressFamily addressFamily = AddressFamily.InterNetwork) =>
        NetworkThread.Run(NetworkNamespacePath, () => new Socket(addressFamily, socketType, protocolType));

    /// <summary>Does something in this process, on a thread that sees this node's network: what it opens belongs to that network.</summary>
    public T InNetwork<T>(Func<T> action) => NetworkThread.Run(NetworkNamespacePath, action);

    /// <summary>Runs a program with the standard streams of this process; returns its exit code.</summary>
    internal async Task<int> RunInForegroundAsync(NodeCommand command, CancellationToken cancellationToken)
    {
        string[] entry = Entry(command);
        using Process process = Tool.Launch(new ProcessStartInfo(entry[0], entry[1..]));
        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        return process.ExitCode;
    }

    /// <summary>CPU time used so far by everything that ran in this node, programs that have ended included.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            string usage = File.ReadLines(Path.Combine(_scope.CgroupsOf(Name).Unified, "cpu.stat")).First(line => line.StartsWith("usage_usec ", StringComparison.Ordinal));
            return TimeSpan.FromMicroseconds(long.Parse(usage["usage_usec ".Length..], CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Bytes that a network device of this node has received so far, as its kernel counts them: with the headers of the link.</summary>
    public long ReceivedBytes(string device) =>
        NetworkThread.Run(NetworkNamespacePath, () =>
        {
            string line = File.ReadLines("/proc/thread-self/net/dev").FirstOrDefault(line => line.TrimStart().StartsWith(device + ":", StringComparison.Ordinal))
                ?? throw new LabException($"{Name} has no device {device}");
            string counters = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..];
            return long.Parse(counters.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);
        });

    /// <summary>Sets a kernel setting of the node's network, such as <c>net/ipv4/ip_forward</c>.</summary>
    public void SetNetworkSetting(string setting, string value) =>
        NetworkThread.Run(NetworkNamespacePath, () =>
        {
            File.WriteAllText("/proc/sys/" + setting, value);
            return true;
        });

    /// <summary>How to get from this process into the node: a program and its first arguments, which end just before the command.</summary>
    private protected virtual IEnumerable<string> EnterNamespaces => ["nsenter", "--net=" + NetworkNamespacePath, "--"];

    /// <summary>Whether <see cref="EnterNamespaces"/> leaves a waiting parent between this process and the command.</summary>
    private protected virtual bool EntryForks => false;

    private protected virtual IEnumerable<string> BaseEnvironment => [];

    private protected virtual string BaseDirectory => Directory.GetCurrentDirectory();

    private protected virtual IEnumerable<string> CgroupJoinFiles => _scope.CgroupsOf(Name).UnifiedOnly.JoinFiles();

    private IEnumerable<string> OnProcessor => Processor is { } processor ? ["taskset", "-c", processor.ToString(CultureInfo.InvariantCulture)] : [];

    private string[] Entry(NodeCommand command) => CgroupEntry.Wrap(
        CgroupJoinFiles,
        [
            .. EnterNamespaces, "env", "-C", command.WorkingDirectory ?? BaseDirectory,
            .. BaseEnvironment, .. command.Environment.Select(pair => $"{pair.Key}={pair.Value}"),
            .. OnProcessor, command.Program, .. command.Arguments,
        ]);
}
