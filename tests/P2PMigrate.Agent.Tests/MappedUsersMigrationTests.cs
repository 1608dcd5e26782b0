using System.Text.Json.Nodes;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>A container whose root is somebody else on its machines, with the shipped program, whose directories are closed to others.</summary>
public sealed class MappedUsersMigrationTests
{
    private const string Name = "c2", First = "100000";

    [Fact]
    [Trait("Spec", "MIG-189")]
    public async Task It_goes_there_and_back_and_what_it_writes_is_its_own()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        ContainerBundle bundle = await ContainerBundle.CreateAsync(peers.Source, new ContainerOptions { Name = Name, Arguments = ["sh", "-c", "while sleep 0.05; do echo x >> /srv/log; done"] });
        string path = peers.Source.PathOf($"{bundle.Directory}/config.json");
        JsonNode configuration = JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        configuration["linux"]!["namespaces"]!.AsArray().Add((JsonNode)new JsonObject { ["type"] = "user" });
        foreach (string kind in (string[])["uidMappings", "gidMappings"])
            configuration["linux"]![kind] = new JsonArray((JsonNode)new JsonObject { ["containerID"] = 0, ["hostID"] = int.Parse(First), ["size"] = 65_536 });
        await File.WriteAllTextAsync(path, configuration.ToJsonString());
        await peers.Source.ShellAsync($"chown -R {First}:{First} {bundle.Rootfs}; chmod 755 /data {bundle.Directory}; runc run --detach --bundle {bundle.Directory} {Name} </dev/null >/dev/null 2>&1");

        MigrateResult there = await peers.MigrateAsync(Name, await peers.ReceiveAsync("--once"));
        Assert.True(there.ExitCode == 0, there.Everything);
        await AssertWritesAsync(peers.Target, $"/var/lib/p2pmigrate/containers/{Name}/rootfs");
        Assert.Equal($"701 710:{First} 600 700", (await peers.Target.ShellAsync("cd /var/lib/p2pmigrate; echo $(stat -c %a containers) $(stat -c %a:%g containers/c2) $(stat -c %a containers/c2/config.json jobs)")).Trim());

        MigrateResult back = await peers.MigrateBackAsync(Name);
        Assert.True(back.ExitCode == 0, back.Everything);
        await AssertWritesAsync(peers.Source, $"/var/lib/p2pmigrate/containers/{Name}/rootfs");
    }

    private static Task<string> AssertWritesAsync(VirtualHost host, string root) => host.ShellAsync(
        $"cd {root}; [ $(stat -c %u srv/log) = {First} ]; before=$(wc -l < srv/log); timeout 20 sh -c \"until [ \\$(wc -l < srv/log) -gt $((before + 5)) ]; do sleep 0.1; done\"");
}
