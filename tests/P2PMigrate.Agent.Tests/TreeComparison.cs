using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>
/// Compares the root file system that stayed at the source, as it was when frozen, with the one that arrived, by find,
/// getfattr and sha256sum and not by the code under test. What the witness itself goes on writing after it arrived is left out: it
/// testifies for that.
/// </summary>
internal static class TreeComparison
{
    // Per entry: path, type, mode, owner, size, links, mtime in ns, link target, device numbers; then the holes, xattrs and contents.
    private const string Describe =
        """
        find . -path './srv/churn*' -prune -o -name log.txt -prune -o ! -type d -printf '%P|%y|%m|%U:%G|%s|%n|%T@|%l\n' | sort
        find . -path './srv/churn*' -prune -o -type d -printf '%P|%y|%m|%U:%G|%T@\n' | sort | grep -v '^srv|'
        find . \( -type b -o -type c \) -exec stat -c '%n %t:%T' {} + | sort
        find . -name sparse -printf '%P %b\n'
        find . -samefile srv/everything/plain -printf '%P\n' | sort
        getfattr -R -h -d -m - . 2>/dev/null | sed '/^# file: srv\/churn/,/^$/d'
        find . -path './srv/churn*' -prune -o -name log.txt -prune -o -type f -exec sha256sum {} + | sort
        """;

    /// <summary>The lines of a diff, source to target; empty when the trees are equal.</summary>
    public static async Task<string> DifferencesAsync(MigrationPeers peers)
    {
        string source = await DescribeAsync(peers.Source, $"/data/{WitnessContainer.Name}/rootfs");
        string target = await DescribeAsync(peers.Target, $"/var/lib/p2pmigrate/containers/{WitnessContainer.Name}/rootfs");
        Assert.Contains("srv/everything/hard-link", source, StringComparison.Ordinal);
        Assert.Contains("user.note", source, StringComparison.Ordinal);
        string[] lines = source.Split('\n'), arrived = target.Split('\n');
        return string.Join('\n', lines.Except(arrived).Select(line => "- " + line).Concat(arrived.Except(lines).Select(line => "+ " + line)));
    }

    private static Task<string> DescribeAsync(VirtualHost host, string root) =>
        host.ShellAsync($"export LC_ALL=C\ncd {root}\n{Describe}");
}
