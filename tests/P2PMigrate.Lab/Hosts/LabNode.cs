using System.Diagnostics;

namespace P2PMigrate.Lab;

/// <summary>
/// One machine of the lab's network: a network namespace with cgroups of its own. Programs that run in it see its
/// interfaces and, unless it is a <see cref="VirtualHost"/>, the file system and processes of the machine.
/// Members may be called from any thread.
/// </summary>
public class LabNode
{
    // Joins the cgroups named before "--", then becomes what follows.
    private const string JoinThenExec = "while [ \"$1\" != -- ]; do echo 0 > \"$1\"; shift; done; shift; exec \"$@\"";

    private readonly LabScope _scope;

    internal LabNode(LabScope scope, string name)
    {
        _scope = scope;
        Name = name;
    }

    public string Name { get; }

    /// <summary>The name under which <c>ip netns</c> knows this node's network.</summary>
    public string NetworkNamespace => _scope.NetworkNamespaceOf(Name);

    /// <summary>Runs a program to its end.</summary>
    public Task<CommandResult> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken = default) =>
        RunAsync(new NodeCommand(program, arguments), cancellationToken);

    /// <summary>Runs a program to its end; a cancelled wait kills it.</summary>
    public async Task<CommandResult> RunAsync(NodeCommand command, CancellationToken cancellationToken = default)
    {
        string[] entry = Entry(command);
        return await Tool.RunAsync(entry[0], entry[1..], command.Input, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs a shell script to its end and throws a <see cref="LabException"/> unless it succeeds; returns what it printed.</summary>
    public async Task<string> ShellAsync(string script, CancellationToken cancellationToken = default)
    {
        CommandResult result = await RunAsync(NodeCommand.Shell(script), cancellationToken).ConfigureAwait(false);
        return result.EnsureSuccess().Output;
    }

    /// <summary>Runs a program with the standard streams of this process; returns its exit code.</summary>
    internal async Task<int> RunInForegroundAsync(NodeCommand command, CancellationToken cancellationToken)
    {
        string[] entry = Entry(command);
        using Process process = Tool.Launch(new ProcessStartInfo(entry[0], entry[1..]));
        await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
        return process.ExitCode;
    }

    /// <summary>How to get from this process into the node: a program and its first arguments, which end just before the command.</summary>
    private protected virtual IEnumerable<string> EnterNamespaces => ["nsenter", $"--net=/run/netns/{NetworkNamespace}", "--"];

    private protected virtual IEnumerable<string> BaseEnvironment => [];

    private protected virtual IEnumerable<string> CgroupJoinFiles => _scope.CgroupsOf(Name).JoinFiles();

    private protected string[] Entry(NodeCommand command) =>
    [
        "/bin/sh", "-c", JoinThenExec, "p2plab", .. CgroupJoinFiles, "--",
        .. EnterNamespaces,
        "env", "-C", command.WorkingDirectory, .. BaseEnvironment, .. command.Environment.Select(pair => $"{pair.Key}={pair.Value}"),
        command.Program, .. command.Arguments,
    ];
}
