using System.Text.Json.Nodes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>A runtime with a bundle per container and runc's command line.</summary>
internal abstract class BundleGround(string program) : IGround
{
    public abstract IContainerRuntime Runtime { get; }

    public string DumpingProgram => program;

    public string CgroupOf(string name) => $"/sys/fs/cgroup/{name}";

    public async Task ConfigureAsync(string name, string[] arguments, Action<JsonObject>? configure, params (string Source, string Destination)[] volumes)
    {
        await Shell.RunAsync($"cd /data/{name}; {program} spec");
        string path = $"/data/{name}/config.json";
        var configuration = (JsonObject)JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        configuration["process"]!["terminal"] = false;
        configuration["process"]!["args"] = new JsonArray([.. arguments.Select(argument => JsonValue.Create(argument))]);
        configuration["root"]!["readonly"] = false;
        configuration["linux"]!["resources"] = new JsonObject();
        foreach ((string source, string destination) in volumes)
        {
            ((JsonArray)configuration["mounts"]!).Add((JsonNode)new JsonObject { ["destination"] = destination, ["type"] = "bind", ["source"] = source, ["options"] = new JsonArray("rbind", "rprivate") });
        }

        configure?.Invoke(configuration);
        await File.WriteAllTextAsync(path, configuration.ToJsonString());
    }

    public Task StartAsync(string name, string bundle, string streams) => Shell.RunAsync($"cd /data/{bundle}; {program} run -d {name} {streams}");

    public virtual async Task<string> StatusAsync(string name) =>
        await Shell.RunAsync($"{program} state {name} >/tmp/state 2>&1 || {{ echo gone; exit 0; }}; sed -n 's/.*\"status\": \"\\(.*\\)\".*/\\1/p' /tmp/state");

    public async Task<int> InitPidAsync(string name) => (int)JsonNode.Parse(await Shell.RunAsync($"{program} state {name}"))!["pid"]!;

    public string RemainsOf(string name) => Directory.Exists($"/run/{program}/{name}") ? $"{program}'s state is left" : "";

    public string Attachment(string name, string command) => $"{program} exec -d {name} {command} </dev/null >/dev/null 2>&1";

    public string Removal(string name) => $"{program} delete --force {name} 2>/dev/null || :";
}
