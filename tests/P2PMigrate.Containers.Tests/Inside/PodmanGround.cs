using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using P2PMigrate.Containers.Podman;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Podman, with crun below it, as it is without a word of runtimes, and a directory as each container's root file system. Its number names a container's cgroup.</summary>
internal sealed class PodmanGround : IGround
{
    public const string RuntimeName = "podman";

    public IContainerRuntime Runtime { get; } = new PodmanRuntime(new PodmanOptions(), new OutputLogger());

    public string DumpingProgram => "crun";

    public string CgroupOf(string name) => $"/sys/fs/cgroup/libpod_parent/libpod-{IdOf(name) ?? "none"}";

    public async Task ConfigureAsync(string name, string[] arguments, Action<JsonObject>? configure, params (string Source, string Destination)[] volumes)
    {
        Assert.Null(configure);
        await File.WriteAllTextAsync($"/data/{name}/volumes", string.Concat(volumes.Select(volume => $" -v {volume.Source}:{volume.Destination}")));
        await File.WriteAllTextAsync($"/data/{name}/command", string.Join(' ', arguments));
    }

    public async Task StartAsync(string name, string bundle, string streams) => await Shell.RunAsync(
        $"podman --runtime crun run -d --name {name} --network none --pids-limit 0 --security-opt seccomp=unconfined{await File.ReadAllTextAsync($"/data/{bundle}/volumes")} --rootfs /data/{bundle}/rootfs {(name == bundle ? await File.ReadAllTextAsync($"/data/{bundle}/command") : "sleep 1000")} </dev/null >/dev/null");

    public async Task<string> StatusAsync(string name)
    {
        string events = $"{CgroupOf(name)}/cgroup.events";
        if (!File.Exists(events)) return "gone";
        string text = await File.ReadAllTextAsync(events);
        return text.Contains("populated 0", StringComparison.Ordinal) ? "gone" : text.Contains("frozen 1", StringComparison.Ordinal) ? "paused" : "running";
    }

    public async Task<int> InitPidAsync(string name) => int.Parse(await Shell.RunAsync($"podman inspect {name} --format '{{{{.State.Pid}}}}'"), CultureInfo.InvariantCulture);

    public string RemainsOf(string name) => IdOf(name) is { } id ? $"Podman still knows {id}" : "";

    public string Attachment(string name, string command) => $"podman exec -d {name} {command}";

    public string Removal(string name) => $"podman rm --force --ignore --time 0 {name} >/dev/null 2>&1 || :";

    /// <summary>Podman answers nobody about a container while it restores that; its root file system tells which one it is.</summary>
    private static string? IdOf(string name)
    {
        const string moved = "-moved", containers = "/var/lib/containers/storage/overlay-containers";
        string root = name.EndsWith(moved, StringComparison.Ordinal) ? $"\"/data/job-{name[..^moved.Length]}/bundle/rootfs\"" : $"\"/data/{name}/rootfs\"";
        if (Directory.Exists(containers))
        {
            string? known = Directory.EnumerateDirectories(containers).FirstOrDefault(
                directory => File.Exists($"{directory}/userdata/config.json") && File.ReadAllText($"{directory}/userdata/config.json").Contains(root, StringComparison.Ordinal));
            if (known is not null) return Path.GetFileName(known);
        }

        using Process asked = Process.Start(new ProcessStartInfo("podman", ["container", "inspect", name, "--format", "{{.Id}}"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string id = asked.StandardOutput.ReadToEnd().Trim();
        asked.WaitForExit();
        return asked.ExitCode == 0 ? id : null;
    }
}
