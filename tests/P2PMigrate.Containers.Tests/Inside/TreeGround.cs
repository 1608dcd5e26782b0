using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Containers.Trees;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Process trees of this host without a container. What is a path in a container's root file system is one below /data/NAME/rootfs for them, which the environment names.</summary>
internal sealed class TreeGround : IGround
{
    public const string RuntimeName = "criu";

    /// <summary>Starts a program under a number that is free, in a session of its own, with no descriptor but the standard streams.</summary>
    private const string Starter = """
        import json, os, sys
        number, root = int(sys.argv[1]), sys.argv[2]
        arguments = json.load(open(os.path.dirname(root) + "/arguments"))
        for attempt in range(200):
            open("/proc/sys/kernel/ns_last_pid", "w").write(str(number - 1))
            begin, go = os.pipe()
            child = os.fork()
            if child == 0:
                os.setsid()
                if os.read(begin, 1) == b"":
                    os._exit(0)
                null = os.open("/dev/null", os.O_RDWR)
                for descriptor in range(3):
                    os.dup2(null, descriptor)
                os.closerange(3, 1000)
                os.environ["AT"] = root
                os.execvp(arguments[0], arguments)
            if child == number:
                os.write(go, b"g")
                sys.exit()
            os.close(go)
            os.waitpid(child, 0)
        sys.exit("another process was always faster")
        """;

    public IContainerRuntime Runtime { get; } = new TreeRuntime(new TreeOptions(), NullLogger.Instance);

    public string DumpingProgram => "criu";

    public string NewName() => $"pid-{Random.Shared.Next(100_000, 4_000_000)}";

    public string MovedNameOf(string name) => name;

    /// <summary>In which it is while it is frozen.</summary>
    public string CgroupOf(string name) => $"/sys/fs/cgroup/init/p2pmigrate-{name}";

    public async Task ConfigureAsync(string name, string[] arguments, Action<JsonObject>? configure)
    {
        Assert.Null(configure);
        string[] placed = [.. arguments.Select(argument => argument.StartsWith('/') ? $"/data/{name}/rootfs{argument}" : argument)];
        await File.WriteAllTextAsync($"/data/{name}/arguments", JsonSerializer.Serialize(placed));
    }

    public async Task StartAsync(string name, string bundle, string streams)
    {
        await File.WriteAllTextAsync("/data/starter.py", Starter);
        await Shell.RunAsync($"python3 /data/starter.py {NumberOf(name)} /data/{bundle}/rootfs");
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
