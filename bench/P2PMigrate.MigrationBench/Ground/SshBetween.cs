using P2PMigrate.Lab;

namespace P2PMigrate.MigrationBench.Ground;

/// <summary>
/// The machine's own ssh from the source's network to the target's, which have none themselves: a server with keys of its own, and a master connection that is up
/// once anything has been said. Disposing ends both.
/// </summary>
internal sealed class SshBetween : IAsyncDisposable
{
    private const int Port = 2222;

    private readonly TwoHosts _hosts;
    private readonly string _work = Directory.CreateTempSubdirectory("p2pmigrate-bench-").FullName;
    private LabProcess? _server;

    private SshBetween(TwoHosts hosts) => _hosts = hosts;

    /// <summary>Why there is none on this machine, or null.</summary>
    public static string? WhyNot =>
        File.Exists("/usr/sbin/sshd") && File.Exists("/usr/bin/rsync") && File.Exists("/usr/bin/scp") ? null : "no OpenSSH server or no rsync: run bench/install";

    /// <summary>What <c>rsync -e</c> is given.</summary>
    public string Shell => $"ssh {Options} -p {Port}";

    /// <summary>The <c>scp</c> command with all that it needs but files.</summary>
    public string Copy => $"scp {Options} -q -P {Port}";

    /// <summary>The target's user and address.</summary>
    public static string Target => $"root@{TwoHosts.TargetAddress}";

    private string Options =>
        $"-o ControlMaster=auto -o ControlPersist=60 -o ControlPath={_work}/mux -o UserKnownHostsFile={_work}/known -o StrictHostKeyChecking=no -o LogLevel=ERROR -i {_work}/user";

    public static async Task<SshBetween> RaiseAsync(TwoHosts hosts, CancellationToken cancellationToken)
    {
        var ssh = new SshBetween(hosts);
        try
        {
            await ssh.StartServerAsync(cancellationToken);
            await ssh.InSourceAsync($"{ssh.Shell} {Target} :", cancellationToken);
            return ssh;
        }
        catch
        {
            await ssh.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a script with the machine's own programs and files in the source's network.</summary>
    public Task<string> InSourceAsync(string script, CancellationToken cancellationToken) =>
        _hosts.Ground.ShellAsync($"nsenter --net=/run/netns/{_hosts.Source.NetworkNamespace} /bin/sh -ec \"{script}\"", cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await InSourceAsync($"{Shell} -O exit {Target} 2>/dev/null || :", CancellationToken.None);
            await _server.DisposeAsync();
        }

        Directory.Delete(_work, recursive: true);
    }

    private async Task StartServerAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory("/run/sshd");
        await _hosts.Ground.ShellAsync(
            $"""
            umask 077; cd {_work}; ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f user; cp user.pub accepted
            cat > sshd.conf <<END
            HostKey {_work}/host
            AuthorizedKeysFile {_work}/accepted
            ListenAddress {TwoHosts.TargetAddress}:{Port}
            PidFile none
            StrictModes no
            UsePAM no
            PermitRootLogin prohibit-password
            Subsystem sftp internal-sftp
            END
            """,
            cancellationToken);
        _server = await _hosts.Ground.StartAsync(
            "nsenter", [$"--net=/run/netns/{_hosts.Target.NetworkNamespace}", "/usr/sbin/sshd", "-D", "-e", "-f", _work + "/sshd.conf"], cancellationToken);
        await _server.Error.WaitForAsync(text => text.Contains("listening", StringComparison.Ordinal), TimeSpan.FromSeconds(10), cancellationToken);
    }
}
