using System.Diagnostics;
using P2PMigrate.Lab;
using P2PMigrate.MigrationBench.Ground;

namespace P2PMigrate.MigrationBench.Contenders;

/// <summary>
/// What Podman's manual tells a person to do: <c>podman container checkpoint --export</c>, scp, <c>podman container restore --import</c>. The image is at the target
/// already, the ssh connection is up, and the archive is not compressed, which is the fastest there is on this link. Podman is Debian's, in hosts that have it.
/// </summary>
internal sealed class PodmanByHand : IContender
{
    private const string Podman = "podman --runtime runc";   // Debian's default, crun, is built without CRIU
    private const string Image = "/data/image";
    private const string Archive = "/data/checkpoint.tar";

    public string Name => "podman + scp";

    public string? WhyNot => SshBetween.WhyNot;

    public bool Moves => true;

    public IReadOnlyList<string> Packages => ["podman"];

    public async Task StartAsync(TwoHosts hosts, WorkloadText workload, CancellationToken cancellationToken)
    {
        await hosts.Source.ShellAsync($"cp -a {VirtualHost.ContainerTemplate} {Image}", cancellationToken);
        await hosts.Source.WriteTextAsync($"{Image}/workload.py", Resource.Text("workload.py"), cancellationToken);
        await hosts.Source.ShellAsync(
            $"""
            cd {Image}
            {workload.FilesScript}
            tar -c . | {Podman} import - bench > /dev/null 2>&1
            {Podman} save -o {Image}.tar bench > /dev/null 2>&1
            """,
            cancellationToken);
        await hosts.Ground.ShellAsync($"cp {hosts.Source.PlainPathOf(Image + ".tar")} {hosts.Target.PlainPathOf(Image + ".tar")}", cancellationToken);
        await hosts.Target.ShellAsync($"{Podman} load -i {Image}.tar > /dev/null 2>&1", cancellationToken);
        await hosts.Source.ShellAsync(
            $"{Podman} run -d --pids-limit 0 --name {TwoHosts.Container} --network ns:/run/netns/{TwoHosts.Container} bench python3 /workload.py {string.Join(' ', workload.Arguments)} > /dev/null",
            cancellationToken);
        await hosts.WaitForAnswerAsync(cancellationToken);
    }

    public async Task<IReadOnlyDictionary<string, double>> MoveAsync(TwoHosts hosts, CancellationToken cancellationToken)
    {
        await using SshBetween ssh = await SshBetween.RaiseAsync(hosts, cancellationToken);
        var clock = Stopwatch.StartNew();
        await hosts.Source.ShellAsync(
            $"ip link set vc-{TwoHosts.Container} nomaster down; {Podman} container checkpoint {TwoHosts.Container} --export {Archive} --compress none --tcp-established --file-locks > /dev/null", cancellationToken);
        double dump = clock.Elapsed.TotalMilliseconds;
        await ssh.InSourceAsync($"{ssh.Copy} {hosts.Source.PlainPathOf(Archive)} {SshBetween.Target}:{hosts.Target.PlainPathOf(Archive)}", cancellationToken);
        double sent = clock.Elapsed.TotalMilliseconds;
        await hosts.Target.ShellAsync($"{Podman} container restore --import {Archive} --tcp-established --file-locks > /dev/null", cancellationToken);
        return new Dictionary<string, double> { ["dump"] = dump, ["transfer"] = sent - dump, ["restore"] = clock.Elapsed.TotalMilliseconds - sent };
    }
}
