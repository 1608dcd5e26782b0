using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>runc, with a bundle per container.</summary>
internal sealed class RuncGround : IGround
{
    public IContainerRuntime Runtime { get; } = new RuncRuntime(new RuncOptions(), NullLogger.Instance);

    public string DumpingProgram => "runc";

    /// <summary>A runc in front of which a script runs.</summary>
    public static async Task<RuncRuntime> BehindAsync(string script)
    {
        await File.WriteAllTextAsync("/data/runc", $"#!/bin/bash\n{script}\nexec runc \"$@\"\n", TestContext.Current.CancellationToken);
        await Shell.RunAsync("chmod +x /data/runc");
        return new RuncRuntime(new RuncOptions { Runc = "/data/runc" }, NullLogger.Instance);
    }

    public string CgroupOf(string name) => $"/sys/fs/cgroup/{name}";

    public async Task ConfigureAsync(string name, string[] arguments, Action<JsonObject>? configure)
    {
        await Shell.RunAsync($"cd /data/{name}; runc spec");
        string path = $"/data/{name}/config.json";
        var configuration = (JsonObject)JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        configuration["process"]!["terminal"] = false;
        configuration["process"]!["args"] = new JsonArray([.. arguments.Select(argument => JsonValue.Create(argument))]);
        configuration["root"]!["readonly"] = false;
        configuration["linux"]!["resources"] = new JsonObject();
        configure?.Invoke(configuration);
        await File.WriteAllTextAsync(path, configuration.ToJsonString());
    }

    public Task StartAsync(string name, string bundle, string streams) => Shell.RunAsync($"cd /data/{bundle}; runc run -d {name} {streams}");

    public async Task<string> StatusAsync(string name) =>
        await Shell.RunAsync($"runc state {name} >/tmp/state 2>&1 || {{ echo gone; exit 0; }}; sed -n 's/.*\"status\": \"\\(.*\\)\".*/\\1/p' /tmp/state");

    public async Task<int> InitPidAsync(string name) => (int)JsonNode.Parse(await Shell.RunAsync($"runc state {name}"))!["pid"]!;

    public string RemainsOf(string name) => Directory.Exists($"/run/runc/{name}") ? "runc's state is left" : "";

    public string Attachment(string name, string command) => $"runc exec -d {name} {command} </dev/null >/dev/null 2>&1";

    public string Removal(string name) => $"runc delete --force {name} 2>/dev/null || :";
}
