using System.Globalization;
using System.Text.Json.Nodes;
using P2PMigrate.Containers.Lxc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>LXC. A container that is held cannot be asked for: its monitor answers nobody before it runs. So its cgroup is looked at.</summary>
internal sealed class LxcGround : IGround
{
    public const string RuntimeName = "lxc";

    public IContainerRuntime Runtime { get; } = new LxcRuntime(new LxcOptions(), new OutputLogger());

    public string DumpingProgram => "criu";

    public string CgroupOf(string name) => $"/sys/fs/cgroup/init/lxc.payload.{name}";

    public async Task ConfigureAsync(string name, string[] arguments, Action<JsonObject>? configure, params (string Source, string Destination)[] volumes)
    {
        Assert.Null(configure);
        Directory.CreateDirectory($"/var/lib/lxc/{name}");
        await File.WriteAllTextAsync(PathOf(name), $"""
            # A container with nothing of the machine's but its root file system.
            lxc.rootfs.path = dir:/data/{name}/rootfs
            lxc.uts.name = {name}
            lxc.console.path = none
            lxc.tty.max = 0
            lxc.pty.max = 1024
            lxc.net.0.type = empty
            lxc.mount.auto = proc:mixed sys:ro
            lxc.init.cmd = /usr/bin/{string.Join(' ', arguments)}

            """ + string.Concat(volumes.Select(volume => $"lxc.mount.entry = {volume.Source} {volume.Destination[1..]} none bind,create={(File.Exists(volume.Source) ? "file" : "dir")} 0 0\n")));
    }

    public async Task StartAsync(string name, string bundle, string streams)
    {
        if (name != bundle)
        {
            await ConfigureAsync(name, ["sleep", "1000"], null);
            await Shell.RunAsync($"sed -i 's|dir:.*|dir:/data/{bundle}/rootfs|' {PathOf(name)}");
        }

        await Shell.RunAsync($"lxc-start -n {name} -l INFO -o /data/{bundle}/lxc.log </dev/null >/dev/null 2>&1 || {{ cat /data/{bundle}/lxc.log; exit 1; }}");
    }

    public async Task<string> StatusAsync(string name)
    {
        string events = $"{CgroupOf(name)}/cgroup.events";
        if (!File.Exists(PathOf(name)) || !File.Exists(events)) return "gone";
        string text = await File.ReadAllTextAsync(events);
        return text.Contains("populated 0", StringComparison.Ordinal) ? "gone" : text.Contains("frozen 1", StringComparison.Ordinal) ? "paused" : "running";
    }

    public async Task<int> InitPidAsync(string name) => int.Parse(await Shell.RunAsync($"lxc-info -n {name} -pH"), CultureInfo.InvariantCulture);

    public string RemainsOf(string name) =>
        Directory.Exists($"/var/lib/lxc/{name}") ? "LXC's directory is left"
        : Directory.Exists($"/sys/fs/cgroup/init/lxc.monitor.{name}") ? "the monitor's cgroup is left" : "";

    public string Attachment(string name, string command) => $"setsid lxc-attach -n {name} -- {command} </dev/null >/dev/null 2>&1 & sleep 0.5";

    public string Removal(string name) =>
        $"[ ! -e {PathOf(name)} ] || {{ [ ! -e {CgroupOf(name)} ] || echo 1 > {CgroupOf(name)}/cgroup.kill; timeout 10 lxc-stop -k -n {name} 2>/dev/null || :; }}; rm -rf /var/lib/lxc/{name}";

    private static string PathOf(string name) => $"/var/lib/lxc/{name}/config";
}
