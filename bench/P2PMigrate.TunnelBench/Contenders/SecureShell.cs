using System.Globalization;
using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Contenders;

/// <summary>What scp does, without the disks: bytes through an ssh connection that is up already, aes256-gcm. Keys and server are its own.</summary>
internal sealed class SecureShell : IContender
{
    private const int Port = 2222;

    public string Name => "ssh aes256-gcm";

    public string? WhyNot => File.Exists("/usr/sbin/sshd") && Tools.Has("ssh") ? null : "no OpenSSH server: run bench/install";

    public async Task<double> CarryAsync(BenchNetwork network, TimeSpan time, CancellationToken cancellationToken)
    {
        string work = network.Directory;
        Directory.CreateDirectory("/run/sshd");
        await network.Far.ShellAsync(
            $"""
            umask 077; cd {work}; ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f user; cp user.pub accepted
            cat > sshd.conf <<END
            HostKey {work}/host
            AuthorizedKeysFile {work}/accepted
            ListenAddress {BenchNetwork.FarAddress}:{Port}
            PidFile none
            StrictModes no
            UsePAM no
            PermitRootLogin prohibit-password
            Ciphers aes256-gcm@openssh.com
            END
            """,
            cancellationToken);
        await using LabProcess server = await network.Far.StartAsync("/usr/sbin/sshd", ["-D", "-e", "-f", work + "/sshd.conf"], cancellationToken);
        await server.Error.WaitForAsync(line => line.Contains("listening", StringComparison.Ordinal), TimeSpan.FromSeconds(10), cancellationToken);
        string options = $"-o ControlPath={work}/mux -o UserKnownHostsFile={work}/known -o StrictHostKeyChecking=no -o LogLevel=ERROR -i {work}/user -p {Port} root@{BenchNetwork.FarAddress}";
        await using LabProcess master = await network.Near.StartAsync(
            "/bin/sh", ["-c", $"exec ssh -M -N {options}"], cancellationToken);
        await network.Near.ShellAsync($"for i in $(seq 100); do ssh -O check {options} 2>/dev/null && exit 0; sleep 0.1; done; exit 1", cancellationToken);

        // No program before it and only one behind it: what pipes cost is not ssh's. The count is written when the connection's end has come through.
        string counted = await network.Near.ShellAsync(
            $"""
            cd {work}
            timeout {time.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} ssh {options} 'wc -c > {work}/counting && mv {work}/counting {work}/count' < /dev/zero || :
            for i in $(seq 200); do test -e count && exec cat count; sleep 0.05; done; exit 1
            """,
            cancellationToken);
        return double.Parse(counted, CultureInfo.InvariantCulture);
    }
}
