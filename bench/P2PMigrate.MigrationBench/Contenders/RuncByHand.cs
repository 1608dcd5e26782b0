using System.Diagnostics;
using P2PMigrate.MigrationBench.Ground;

namespace P2PMigrate.MigrationBench.Contenders;

/// <summary>
/// What a person does with what there is: rsync of the root file system while the container runs, <c>runc checkpoint</c>, rsync again, scp of the images,
/// <c>runc restore</c>. Over ssh connections that are up already.
/// </summary>
internal sealed class RuncByHand : IContender
{
    public string Name => "runc + rsync + scp";

    public string? WhyNot => SshBetween.WhyNot;

    public bool Moves => true;

    public async Task<IReadOnlyDictionary<string, double>> MoveAsync(TwoHosts hosts, CancellationToken cancellationToken)
    {
        await using SshBetween ssh = await SshBetween.RaiseAsync(hosts, cancellationToken);
        string bundle = TwoHosts.Bundle, there = $"{SshBetween.Target}:{hosts.Target.PlainPathOf(bundle)}";
        string rsync = $"rsync -aHAX --numeric-ids --delete -e '{ssh.Shell}' {hosts.Source.PlainPathOf(bundle)}/ {there}/";
        await hosts.Target.ShellAsync($"mkdir -p {bundle}", cancellationToken);
        await ssh.InSourceAsync(rsync, cancellationToken);

        var clock = Stopwatch.StartNew();
        await hosts.Source.ShellAsync(
            $"mkdir /data/images; ip link set vc-{TwoHosts.Container} nomaster down; runc checkpoint --tcp-established --file-locks --image-path /data/images {TwoHosts.Container}", cancellationToken);
        double dump = clock.Elapsed.TotalMilliseconds;
        await ssh.InSourceAsync($"{rsync}; {ssh.Copy} -r {hosts.Source.PlainPathOf("/data/images")} {there}/", cancellationToken);
        double sent = clock.Elapsed.TotalMilliseconds;
        await hosts.Target.ShellAsync(
            $"runc restore --detach --tcp-established --file-locks --image-path {bundle}/images --bundle {bundle} {TwoHosts.Container} < /dev/null > /dev/null 2>&1", cancellationToken);
        return new Dictionary<string, double> { ["dump"] = dump, ["transfer"] = sent - dump, ["restore"] = clock.Elapsed.TotalMilliseconds - sent };
    }
}
