using System.Globalization;
using System.Text.Json.Nodes;
using P2PMigrate.Containers.Trees;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Process trees of this host without a container. What is a path in a container's root file system is one below /data/NAME/rootfs for them, which the environment names.</summary>
internal sealed class TreeGround : IGround
{
    public const string RuntimeName = "criu";

    public IContainerRuntime Runtime { get; } = new TreeRuntime(new TreeOptions(), new OutputLogger());

    public string DumpingProgram => "criu";

    public string NewName() => $"pid-{Random.Shared.Next(100_000, 4_000_000)}";

    public string MovedNameOf(string name) => name;

    /// <summary>In which it is while it is frozen.</summary>
    public string CgroupOf(string name) => $"/sys/fs/cgroup/init/p2pmigrate-{name}";

    public async Task ConfigureAsync(string name, string[] arguments, Action<JsonObject>? configure, params (string Source, string Destination)[] volumes)
    {
        Assert.Null(configure);
        Assert.Empty(volumes);
        string root = $"/data/{name}/rootfs";
        string[] placed = [.. arguments.Select(argument => argument.StartsWith('/') ? root + argument : argument)];
        await File.WriteAllTextAsync($"/data/{name}/start", $"exec python3 /data/{name}/start.py {NumberOf(name)} {root} AT={root} -- {string.Join(' ', placed)}\n");
    }

    public async Task StartAsync(string name, string bundle, string streams)
    {
        await Workload.WriteAsync("start.py", $"/data/{bundle}/start.py");
        await Shell.RunAsync($"sh /data/{bundle}/start");
    }

    public async Task<string> StatusAsync(string name)
    {
        int pid = NumberOf(name);
        return await Shell.RunAsync(
            $"grep -qs '^State:.[^ZX]' /proc/{pid}/status || {{ echo gone; exit; }}; grep -q 'frozen 1' /sys/fs/cgroup$(sed -n 's/^0:://p' /proc/{pid}/cgroup)/cgroup.events && echo paused || echo running");
    }

    public Task<int> InitPidAsync(string name) => Task.FromResult(NumberOf(name));

    public string RemainsOf(string name) => Directory.Exists($"/sys/fs/cgroup/p2pmigrate-{name}") ? "the cgroup of the tree that came here is left" : "";

    public string Attachment(string name, string command) => throw new NotSupportedException("Nothing gets into a process tree from outside.");

    public string Removal(string name) =>
        $"for c in {CgroupOf(name)} /sys/fs/cgroup/p2pmigrate-{name}; do [ ! -e $c ] || {{ echo 1 > $c/cgroup.kill; while ! rmdir $c 2>/dev/null; do :; done; }}; done; pkill -KILL -s {NumberOf(name)} || :; while [ -e /proc/{NumberOf(name)}/exe ]; do sleep 0.01; done";

    private static int NumberOf(string name) => int.Parse(name["pid-".Length..], CultureInfo.InvariantCulture);
}
