using P2PMigrate.Agent.Tests.Blockers;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>What stands in the way of a migration, brought about one after the other: <c>check</c> names each with its remedy, ends with exit code 3, and touches nothing.</summary>
public sealed class BlockerTests(ITestOutputHelper output)
{
    private const string Name = "odd";
    private const string StandIns = "/tmp/stand-ins";
    private const string Path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    [Fact]
    public Task The_machine_is_not_fit() => ProvokeAsync(Provocation.OfMachine);

    [Fact]
    public Task The_container_holds_what_cannot_move() => ProvokeAsync(Provocation.OfContainer);

    [Fact]
    [Trait("Spec", "MIG-170")]
    public Task The_target_is_not_fit() => ProvokeAsync(Provocation.OfTarget);

    private async Task ProvokeAsync(IReadOnlyList<Provocation> all)
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        List<string> wrong = [];
        foreach (Provocation one in all)
        {
            (int code, string said, bool isTouched) = await SayAsync(peers, one);
            bool isRight = code == 3 && !isTouched && said.Contains(one.Sentence, StringComparison.Ordinal) && said.Contains(one.Remedy, StringComparison.Ordinal);
            output.WriteLine($"| {one.Name} | {(isRight ? "named" : $"{(isTouched ? "something was touched, " : "")}exit code {code}: {said}")} |");
            if (!isRight)
                wrong.Add(one.Name);
        }

        Assert.Empty(wrong);
    }

    private static async Task<(int Code, string Said, bool IsTouched)> SayAsync(MigrationPeers peers, Provocation one)
    {
        bool atTarget = one.IsOfTarget || one.AtTarget.Length > 0;
        VirtualHost odd = atTarget ? peers.Target : peers.Source;
        string path = one.StandIn is null ? Path : $"{StandIns}:{Path}";
        if (one.StandIn is { } standIn)
            await odd.ShellAsync($"mkdir -p {StandIns}; printf '%s\\n' '#!/bin/sh' '{standIn.Script}' > {StandIns}/{standIn.Program}; chmod +x {StandIns}/{standIn.Program}");
        if (one.Container is not null)
            await StartAsync(peers.Source, one);
        else if (one.AtSource.Length > 0)
            await peers.Source.ShellAsync(one.AtSource);
        if (atTarget)
            await peers.Target.ShellAsync(one.AtTarget.Length > 0 ? one.AtTarget : ":");
        string arguments = one.Container is null ? "" : Name;
        if (atTarget)
        {
            peers.TargetEnvironment = new Dictionary<string, string> { ["PATH"] = one.Circumstances.Length > 0 ? one.Circumstances : path };
            arguments += $" --to {await peers.ReceiveAsync(one.Receiving)}";
        }

        (Leftovers, Leftovers) before = (await Leftovers.OnAsync(peers.Source), await Leftovers.OnAsync(peers.Target));
        string circumstances = atTarget ? "" : one.Circumstances.Length > 0 ? one.Circumstances : $"env PATH={path}";
        CommandResult result = await peers.Source.RunAsync(NodeCommand.Shell($"{circumstances} {MigrationPeers.Program} check {arguments} --state-dir /tmp/state-$$"));
        bool isTouched = before != (await Leftovers.OnAsync(peers.Source), await Leftovers.OnAsync(peers.Target));
        await odd.ShellAsync($"{(one.Undo.Length > 0 ? one.Undo : ":")}; rm -rf {StandIns}");
        await EndAsync(peers, one);
        return (result.ExitCode, result.Output + result.Error, isTouched);
    }

    private static async Task StartAsync(VirtualHost host, Provocation one)
    {
        if (one.Volume is not null)
            await host.ShellAsync($"mkdir -p {one.Volume}");
        ContainerBundle bundle = await ContainerBundle.CreateAsync(host, new ContainerOptions
        {
            Name = Name,
            Arguments = ["python3", "-c", $"import ctypes, os, socket, subprocess, time\n{one.Container}\ntime.sleep(600)"],
            NetworkNamespacePath = one.HasNetwork ? (await ContainerNetwork.CreateAsync(host, Name)).Path : null,
            Mounts = one.Volume is null ? [] : [new BindMount(one.Volume, "/mnt")],
        });
        await host.ShellAsync($"runc run --detach --bundle {bundle.Directory} {Name} < {one.Input} > /dev/null 2>&1");
        Task ready = host.ShellAsync($"for i in $(seq 200); do [ -e {bundle.Rootfs}/ready ] && exit 0; sleep 0.1; done; echo not ready; exit 1");
        if (!one.AwaitsAtSource)
            await ready;
        await host.ShellAsync(one.AtSource.Length > 0 ? one.AtSource : ":");
        await ready;
    }

    private static async Task EndAsync(MigrationPeers peers, Provocation one)
    {
        if (peers.Receive is { HasExited: false } receive)
        {
            receive.Signal(UnixSignal.Terminate);
            await receive.CompleteAsync();
        }

        if (one.Container is not null)
            await peers.Source.ShellAsync($"runc delete --force {Name} 2>/dev/null; rm -rf /data/{Name} /tmp/state-*{(one.Volume is null ? "" : $"; rmdir {one.Volume}")}");
    }
}
