using System.Diagnostics;
using P2PMigrate.Lab;
using P2PMigrate.MigrationBench.Ground;

namespace P2PMigrate.MigrationBench.Contenders;

/// <summary>
/// What a person does with what there is: rsync of the root file system while the container runs, <c>runc checkpoint</c>, rsync again, scp of the images,
/// <c>runc restore</c>. Over ssh connections that are up already.
/// </summary>
internal sealed class RuncByHand : IContender
{
    private const int Port = 2222;

    public string Name => "runc + rsync + scp";

    public string? WhyNot => File.Exists("/usr/sbin/sshd") && File.Exists("/usr/bin/rsync") && File.Exists("/usr/bin/scp") ? null : "no OpenSSH server or no rsync: run bench/install";

    public bool Moves => true;

    public async Task<IReadOnlyDictionary<string, double>> MoveAsync(TwoHosts hosts, CancellationToken cancellationToken)
    {
        string work = Directory.CreateTempSubdirectory("p2pmigrate-bench-").FullName;
        try
        {
            await using LabProcess server = await StartServerAsync(hosts, work, cancellationToken);
            string ssh = $"ssh -o ControlMaster=auto -o ControlPersist=60 -o ControlPath={work}/mux -o UserKnownHostsFile={work}/known -o StrictHostKeyChecking=no -o LogLevel=ERROR -i {work}/user";
            string bundle = TwoHosts.Bundle, target = $"root@{TwoHosts.TargetAddress}", there = $"{target}:{hosts.Target.PlainPathOf(bundle)}";
            string rsync = $"rsync -aHAX --numeric-ids --delete -e '{ssh} -p {Port}' {hosts.Source.PlainPathOf(bundle)}/ {there}/";
            await hosts.Target.ShellAsync($"mkdir -p {bundle}", cancellationToken);
            await InNetworkAsync(hosts, rsync, cancellationToken);

            var clock = Stopwatch.StartNew();
            await hosts.Source.ShellAsync(
                $"mkdir /data/images; ip link set vc-{TwoHosts.Container} nomaster down; runc checkpoint --tcp-established --file-locks --image-path /data/images {TwoHosts.Container}", cancellationToken);
            double dump = clock.Elapsed.TotalMilliseconds;
            string images = hosts.Source.PlainPathOf("/data/images");
            await InNetworkAsync(hosts, $"{rsync}; {"scp" + ssh[3..]} -q -r -P {Port} {images} {there}/", cancellationToken);
            double sent = clock.Elapsed.TotalMilliseconds;
            await hosts.Target.ShellAsync(
                $"runc restore --detach --tcp-established --file-locks --image-path {bundle}/images --bundle {bundle} {TwoHosts.Container} < /dev/null > /dev/null 2>&1", cancellationToken);
            await InNetworkAsync(hosts, $"{ssh} -p {Port} -O exit {target} 2>/dev/null || :", cancellationToken);
            return new Dictionary<string, double> { ["dump"] = dump, ["transfer"] = sent - dump, ["restore"] = clock.Elapsed.TotalMilliseconds - sent };
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>The machine's own ssh and rsync, in the source's network: the hosts have none.</summary>
    private static Task<string> InNetworkAsync(TwoHosts hosts, string script, CancellationToken cancellationToken) =>
        hosts.Ground.ShellAsync($"nsenter --net=/run/netns/{hosts.Source.NetworkNamespace} /bin/sh -ec \"{script}\"", cancellationToken);

    private static async Task<LabProcess> StartServerAsync(TwoHosts hosts, string work, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory("/run/sshd");
        await hosts.Ground.ShellAsync(
            $"""
            umask 077; cd {work}; ssh-keygen -q -t ed25519 -N '' -f host; ssh-keygen -q -t ed25519 -N '' -f user; cp user.pub accepted
            cat > sshd.conf <<END
            HostKey {work}/host
            AuthorizedKeysFile {work}/accepted
            ListenAddress {TwoHosts.TargetAddress}:{Port}
            PidFile none
            StrictModes no
            UsePAM no
            PermitRootLogin prohibit-password
            Subsystem sftp internal-sftp
            END
            """,
            cancellationToken);
        LabProcess server = await hosts.Ground.StartAsync(
            "nsenter", [$"--net=/run/netns/{hosts.Target.NetworkNamespace}", "/usr/sbin/sshd", "-D", "-e", "-f", work + "/sshd.conf"], cancellationToken);
        await server.Error.WaitForAsync(text => text.Contains("listening", StringComparison.Ordinal), TimeSpan.FromSeconds(10), cancellationToken);
        return server;
    }
}
