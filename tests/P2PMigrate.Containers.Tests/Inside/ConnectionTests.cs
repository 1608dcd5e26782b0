using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Established TCP connections, in prepared network namespaces on a bridge.</summary>
public sealed class ConnectionTests
{
    /// <summary>Answers each line with its own count, which only memory holds.</summary>
    private const string Server = """
        import socket
        listener = socket.socket(); listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("10.7.7.2", 7777)); listener.listen()
        connection, _ = listener.accept()
        count = 0
        while connection.recv(1):
            count += 1
            connection.sendall(b"%d\n" % count)
        """;

    /// <summary>Asks for ever and writes down each answer; any error ends it.</summary>
    private const string Client = """
        import socket, time
        connection = socket.create_connection(("10.7.7.2", 7777)); answers = connection.makefile()
        while True:
            connection.sendall(b"?")
            print(answers.readline().strip(), flush=True)
            time.sleep(0.01)
        """;

    private const string Address = "10.7.7.2/24", Mac = "02:00:00:07:07:02";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [InsideFact]
    [EveryRuntime(WithBundles = true)]
    public async Task A_client_on_the_bridge_keeps_its_connection_across_a_thaw_and_across_a_move_and_at_once_back()
    {
        await using PreparedNetwork here = await PreparedNetwork.RaiseAsync(Address, Mac);
        await using PreparedNetwork there = await PreparedNetwork.RaiseAsync(Address, Mac);
        await using Workload workload = await StartAsync(here, there);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using (IFence rolledBack = await move.FreezeAsync())
        {
            await move.DumpAsync(rolledBack, new Criu.RecordedPages());
            await rolledBack.ThawAsync(Token);
        }

        await WaitForAnswersAsync((await AnswersAsync()).Length + 50);
        await Shell.RunAsync($"rm -rf {move.Request.ImageDirectory}; mkdir {move.Request.ImageDirectory}");

        await using IFence fence = await move.FreezeAsync();
        await move.DumpAsync(fence);
        await move.CopyAsync();
        await Shell.RunAsync($"sed -i s#{here.Path}#{there.Path}# {move.Request.BundlePath}/config.json");
        await using IHeldContainer held = await move.RestoreAsync();
        Assert.DoesNotContain("master", await Shell.RunAsync($"ip link show {there.Veth}"));
        await fence.DestroyAsync(Token);
        await held.ReleaseAsync(Token);
        Assert.Contains("master tcp-bridge", await Shell.RunAsync($"ip link show up dev {there.Veth}"));
        Assert.DoesNotContain("master", await Shell.RunAsync($"ip link show {here.Veth}"));

        await WaitForAnswersAsync((await AnswersAsync()).Length + 50);
        await using Move back = await Move.PrepareAsync(move.Request.Container.Name);
        await using IFence away = await back.FreezeAsync();
        await back.DumpAsync(away);
        await back.CopyAsync();
        await Shell.RunAsync($"sed -i s#{there.Path}#{here.Path}# {back.Request.BundlePath}/config.json");
        await using IHeldContainer returned = await back.RestoreAsync();
        await away.DestroyAsync(Token);
        await returned.ReleaseAsync(Token);
        await EndAsync();
    }

    /// <summary>Its sockets are out of CRIU's hands then: the kernel closes them, and must not tell the client.</summary>
    [InsideFact]
    [EveryRuntime(WithBundles = true)]
    [Trait("Spec", "MIG-59")]
    [Trait("Spec", "MIG-167")]
    public async Task A_client_keeps_its_connection_when_the_release_at_the_target_fails()
    {
        await using PreparedNetwork here = await PreparedNetwork.RaiseAsync(Address, Mac);
        await using PreparedNetwork there = await PreparedNetwork.RaiseAsync(Address, Mac);
        await using Workload workload = await StartAsync(here, there);
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        await move.DumpAsync(fence);
        await move.CopyAsync();
        await Shell.RunAsync($"sed -i s#{here.Path}#{there.Path}# {move.Request.BundlePath}/config.json");
        await using IHeldContainer held = await move.RestoreAsync();
        await Shell.RunAsync($"sed -i '2i [ \"$CRTOOLS_SCRIPT_ACTION\" != post-resume ] || kill -9 $PPID' {move.Request.WorkDirectory}/hook");

        await Assert.ThrowsAsync<ContainerException>(() => held.ReleaseAsync(Token));

        Assert.Equal("", await Shell.RunAsync($"nsenter --net={there.Path} ss -Htan"));
        await Task.Delay(1000, Token); // a goodbye would be repeated within that time
        await fence.ThawAsync(Token);
        await EndAsync();
    }

    /// <summary>A server with a client that is connected. The same address in both networks; the second is off the bridge, as an earlier migration away would have left it.</summary>
    private static async Task<Workload> StartAsync(PreparedNetwork here, PreparedNetwork there)
    {
        await Shell.RunAsync($"""
            ip link del tcp-bridge 2>/dev/null || :; rm -f /data/answers
            ip link add tcp-bridge type bridge; ip addr add 10.7.7.1/24 dev tcp-bridge; ip link set tcp-bridge up
            ip link set {here.Veth} master tcp-bridge up; ip link set {there.Veth} alias p2pmigrate:tcp-bridge
            """);
        Workload workload = await Workload.PrepareAsync(["python3", "-c", Server], configuration => Workload.UseNetwork(configuration, here.Path));
        await workload.StartAsync();
        await File.WriteAllTextAsync("/data/client.py", Client, Token);
        await Shell.RunAsync($"nsenter --net={here.Path} sh -c 'until ss -ltn | grep -q 7777; do sleep 0.05; done'; python3 /data/client.py </dev/null >/data/answers 2>/data/errors & echo $! >/data/client");
        await WaitForAnswersAsync(10);
        return workload;
    }

    /// <summary>The client goes on, and has had every answer once.</summary>
    private static async Task EndAsync()
    {
        await WaitForAnswersAsync((await AnswersAsync()).Length + 50);
        string[] answers = await AnswersAsync();
        Assert.Equal(Enumerable.Range(1, answers.Length).Select(number => number.ToString()), answers);
        await Shell.RunAsync("kill $(cat /data/client)");
    }

    [InsideFact]
    [EveryRuntime(WithBundles = true)]
    public async Task A_container_whose_bridge_was_removed_while_it_was_frozen_runs_on_all_the_same()
    {
        await using PreparedNetwork network = await PreparedNetwork.RaiseAsync(Address, Mac);
        await Shell.RunAsync($"ip link add lost-bridge type bridge; ip link set lost-bridge up; ip link set {network.Veth} master lost-bridge up");
        await using Workload workload = await Workload.PrepareAsync(["sleep", "1000"], configuration => Workload.UseNetwork(configuration, network.Path));
        await workload.StartAsync();
        await using Move move = await Move.PrepareAsync(workload.Name);
        await using IFence fence = await move.FreezeAsync();
        await Shell.RunAsync("ip link del lost-bridge");

        await fence.ThawAsync(Token);

        Assert.Contains("frozen 0", await Shell.RunAsync($"cat /sys/fs/cgroup$(sed -n s/^0:://p /proc/{await workload.InitPidAsync()}/cgroup)/cgroup.events"));
    }

    [InsideFact]
    public async Task A_network_that_was_made_anew_after_the_preparation_is_looked_at_again()
    {
        const string raise = "ip netns add plan; ip link add plan-veth type veth peer name eth0 netns plan; ip -n plan link set eth0 up; ip link set plan-veth master plan-bridge up";
        await Shell.RunAsync($"ip link add plan-bridge type bridge; ip link set plan-bridge up; {raise}");
        Containers.Runc.RestorePlan plan = await Containers.Runc.RestorePlan.MakeAsync("/run/netns/plan", Token);
        Assert.Equal("plan-veth", Assert.Single(plan.Links).Name);
        Assert.True(plan.IsCurrent("/run/netns/plan"));
        Assert.False(plan.IsCurrent("/run/netns/other"));
        Assert.False(plan.IsCurrent(null));

        await Shell.RunAsync($"ip link del plan-veth; ip netns del plan; {raise}");

        Assert.False(plan.IsCurrent("/run/netns/plan"));
        Containers.Runc.RestorePlan fresh = await Containers.Runc.RestorePlan.MakeAsync("/run/netns/plan", Token);
        Assert.True(fresh.IsCurrent("/run/netns/plan"));
        await Shell.RunAsync("ip link set plan-veth nomaster");
        Assert.False(fresh.IsCurrent("/run/netns/plan"));
    }

    private static async Task WaitForAnswersAsync(int count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((await AnswersAsync()).Length < count)
        {
            Assert.False(limit.IsCancellationRequested, $"no more answers after {string.Join(' ', (await AnswersAsync()).TakeLast(3))}: {await File.ReadAllTextAsync("/data/errors", Token)}");
            await Task.Delay(20, Token);
        }
    }

    private static async Task<string[]> AnswersAsync() => (await File.ReadAllTextAsync("/data/answers", Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
