using System.Text.Json.Nodes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Containers whose users are others on the machine: root inside is nobody's number outside.</summary>
public sealed class MappedUsersTests
{
    private const string First = "100000";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [InsideFact]
    [EveryRuntime(WithBundles = true)]
    [Trait("Spec", "MIG-189")]
    public async Task A_bundle_with_a_user_namespace_moves_or_is_refused_beforehand()
    {
        await using Workload workload = await PrepareAsync(configuration =>
        {
            var linux = (JsonObject)configuration["linux"]!;
            ((JsonArray)linux["namespaces"]!).Add((JsonNode)new JsonObject { ["type"] = "user" });
            foreach (string kind in (string[])["uidMappings", "gidMappings"])
                linux[kind] = new JsonArray((JsonNode)new JsonObject { ["containerID"] = 0, ["hostID"] = int.Parse(First), ["size"] = 65_536 });
        });
        await workload.StartAsync();
        if (IGround.Current is CrunGround) await AssertRefusedAsync(workload);
        else await MoveAsync(workload);
    }

    [InsideFact]
    [OfLxc]
    [Trait("Spec", "MIG-189")]
    public async Task A_container_of_LXC_with_mapped_users_moves()
    {
        await using Workload workload = await PrepareAsync(null);
        await Shell.RunAsync($"printf 'lxc.idmap = u 0 {First} 65536\\nlxc.idmap = g 0 {First} 65536\\nlxc.mount.auto = cgroup:mixed\\n' >> /var/lib/lxc/{workload.Name}/config; chmod 755 /var/lib/lxc /var/lib/lxc/{workload.Name}");
        await workload.StartAsync();
        await MoveAsync(workload);
    }

    [InsideFact]
    [OfPodman]
    [Trait("Spec", "MIG-189")]
    public async Task One_of_Podman_is_refused_beforehand()
    {
        await using Workload workload = await PrepareAsync(null);
        await Shell.RunAsync($"podman run -d --name {workload.Name} --network none --pids-limit 0 --uidmap 0:{First}:65536 --gidmap 0:{First}:65536 --rootfs {workload.Root} python3 /counter.py 5 </dev/null >/dev/null");
        await AssertRefusedAsync(workload);
    }

    private static async Task<Workload> PrepareAsync(Action<JsonObject>? configure)
    {
        Workload workload = await Workload.PrepareAsync(["python3", "/counter.py", "5", "ghost", "link"], configure);
        await workload.PutAsync("counter.py");
        await Shell.RunAsync($"chown -R {First}:{First} {workload.Root}; chmod 755 /data {workload.Bundle}");
        return workload;
    }

    private static async Task AssertRefusedAsync(Workload workload)
    {
        await workload.WaitForCountAsync(2000);
        ContainerDescription container = await Move.Runtime.InspectAsync(workload.Name, null, Token);
        Finding finding = Assert.Single(await Move.Runtime.CheckSourceAsync(container, Token), finding => finding.Severity == FindingSeverity.Blocker);
        ConformanceTable.Tell(ConformanceTable.MappedUsers, $"“{finding.Message}”");
    }

    /// <summary>The way to the copy's files is closed to others at first.</summary>
    private static async Task MoveAsync(Workload workload)
    {
        await workload.WaitForCountAsync(2000);
        Assert.Equal(First, await OwnerAsync(workload.Name));
        await using Move move = await Move.PrepareAsync(workload.Name);
        Assert.DoesNotContain(await Move.Runtime.CheckSourceAsync(move.Container, Token), finding => finding.Severity == FindingSeverity.Blocker);
        await using IFence fence = await move.FreezeAsync();
        ulong frozenAt = workload.Count;
        await move.DumpAsync(fence);
        await move.CopyAsync();
        await Shell.RunAsync($"chmod 700 {move.Request.BundlePath} {Path.GetDirectoryName(move.Request.BundlePath)} {move.Request.ImageDirectory}; chmod 600 {move.Request.ImageDirectory}/*");
        Assert.DoesNotContain(
            await Move.Runtime.CheckTargetAsync(move.Request.Container, await Move.Runtime.DescribeMachineAsync(Token), Token), finding => finding.Severity == FindingSeverity.Blocker);
        await using IHeldContainer held = await move.RestoreAsync();
        await fence.DestroyAsync(Token);
        await held.ReleaseAsync(Token);
        await RestoreTests.WaitForAsync(() => move.TargetCount > frozenAt + 5000);
        Assert.Equal(First, await OwnerAsync(move.Request.Container.Name));
        Assert.False(File.Exists($"{move.Request.RootPath}/broken"));
        ConformanceTable.Tell(ConformanceTable.MappedUsers, ConformanceTable.Moves);
    }

    private static async Task<string> OwnerAsync(string name) => (await Shell.RunAsync($"stat -c %u /proc/{await IGround.Current.InitPidAsync(name)}")).Trim();
}
