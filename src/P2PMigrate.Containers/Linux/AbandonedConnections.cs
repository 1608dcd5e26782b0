using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Linux;

/// <summary>
/// TCP connections that no process holds any more. The kernel goes on closing those of a killed process for minutes, as part of a network namespace that outlives it: once its link is back, it would
/// say goodbye to clients whose connection goes on elsewhere, and a container that comes back could not have its own connection again.
/// </summary>
internal static class AbandonedConnections
{
    private const int BatchMax = 64;
    private static readonly Version s_first = new(6, 11); // an older kernel that is told to end one may forget to, for ever
    private static readonly string[] s_states = ["fin-wait-1", "fin-wait-2", "closing", "last-ack", "time-wait"];

    /// <summary>Ends those of a network namespace whose links are off. Connections that a process holds stay. Where <c>ss</c> or the kernel (before Linux 6.11) cannot, they end by themselves, later.</summary>
    public static async Task EndAsync(string namespacePath, CancellationToken cancellationToken)
    {
        if (Environment.OSVersion.Version < s_first) return;
        try
        {
            ToolResult listed = await RunAsync(namespacePath, "--extended", "", cancellationToken).ConfigureAwait(false);
            foreach ((string Local, string Peer)[] batch in Parse(listed.Output).Chunk(BatchMax))
            {
                string filter = string.Join(" or ", batch.Select(connection => $"( src {connection.Local} and dst {connection.Peer} )"));
                await RunAsync(namespacePath, "--kill", filter, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (ContainerException)
        {
            // no such program here
        }
    }

    /// <summary>The ends of those connections in the output of <c>ss --extended</c> that belong to no process, whose socket has no inode.</summary>
    internal static IEnumerable<(string Local, string Peer)> Parse(string output) =>
        from line in output.Split('\n')
        let words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        where words.Length > 5 && words.Contains("ino:0")
        select (words[3], words[4]);

    private static Task<ToolResult> RunAsync(string namespacePath, string option, string filter, CancellationToken cancellationToken) => Tool.RunAsync(
        "nsenter", [$"--net={namespacePath}", "ss", "--no-header", "--tcp", "--numeric", option, .. s_states.SelectMany(state => (string[])["state", state]), .. filter.Length > 0 ? [filter] : Array.Empty<string>()], cancellationToken);
}
