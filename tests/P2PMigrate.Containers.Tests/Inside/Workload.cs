using System.Buffers.Binary;
using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Nodes;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>A runc container with a program in it, in a bundle below /data. Disposing removes the container, not the bundle.</summary>
internal sealed class Workload : IAsyncDisposable
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(20);

    private Workload(string name) => Name = name;

    public string Name { get; }

    public string Bundle => $"/data/{Name}";

    public string Root => $"{Bundle}/rootfs";

    /// <summary>What the program counted last.</summary>
    public ulong Count => CountIn(Root);

    /// <summary>The counting Python program. <paramref name="extras"/> are things that it shall hold.</summary>
    public static async Task<Workload> CountingAsync(int megabytes = 60, string[]? extras = null, Action<JsonObject>? configure = null)
    {
        Workload workload = await PrepareAsync(["python3", "/counter.py", megabytes.ToString(), .. extras ?? []], configure);
        using (Stream program = Assembly.GetExecutingAssembly().GetManifestResourceStream("counter.py")!)
        await using (FileStream copy = File.Create($"{workload.Root}/counter.py"))
        {
            await program.CopyToAsync(copy);
        }

        await workload.StartAsync();
        await workload.WaitForCountAsync(2000);
        return workload;
    }

    /// <summary>A bundle from the host's template, not started.</summary>
    public static async Task<Workload> PrepareAsync(string[] arguments, Action<JsonObject>? configure = null)
    {
        var workload = new Workload("t" + Guid.NewGuid().ToString("N")[..8]);
        await Shell.RunAsync($"mkdir -p {workload.Bundle}; cp -a /opt/container-template {workload.Root}; cd {workload.Bundle}; runc spec");
        string path = $"{workload.Bundle}/config.json";
        var configuration = (JsonObject)JsonNode.Parse(await File.ReadAllTextAsync(path))!;
        configuration["process"]!["terminal"] = false;
        configuration["process"]!["args"] = new JsonArray([.. arguments.Select(argument => JsonValue.Create(argument))]);
        configuration["root"]!["readonly"] = false;
        configuration["linux"]!["resources"] = new JsonObject();
        configure?.Invoke(configuration);
        await File.WriteAllTextAsync(path, configuration.ToJsonString());
        return workload;
    }

    /// <summary>Points the container at a network namespace that exists.</summary>
    public static void UseNetwork(JsonObject configuration, string path)
    {
        foreach (JsonNode? entry in (JsonArray)configuration["linux"]!["namespaces"]!)
        {
            if ((string?)entry!["type"] == "network") entry["path"] = path;
        }
    }

    public Task StartAsync(string streams = "</dev/null >/dev/null 2>&1") => Shell.RunAsync($"cd {Bundle}; runc run -d {Name} {streams}");

    public async Task WaitForCountAsync(ulong count)
    {
        for (long start = Stopwatch.GetTimestamp(); Count < count; await Task.Yield())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < s_startLimit, $"the counter of {Name} stands at {Count}, not {count}");
        }
    }

    /// <summary>The first process, in this host's numbers.</summary>
    public async Task<int> InitPidAsync() => (int)JsonNode.Parse(await Shell.RunAsync($"runc state {Name}"))!["pid"]!;

    /// <summary>What runc says: <c>running</c>, <c>paused</c>, or <c>gone</c>.</summary>
    public static async Task<string> StatusAsync(string name) =>
        await Shell.RunAsync($"runc state {name} >/tmp/state 2>&1 || {{ echo gone; exit 0; }}; sed -n 's/.*\"status\": \"\\(.*\\)\".*/\\1/p' /tmp/state");

    public static ulong CountIn(string root)
    {
        string path = $"{root}/counter";
        if (!File.Exists(path)) return 0;
        byte[] bytes = File.ReadAllBytes(path);
        return bytes.Length < 8 ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    public async ValueTask DisposeAsync() => await Shell.RunAsync($"echo 0 > /sys/fs/cgroup/{Name}/cgroup.freeze 2>/dev/null || :; runc delete --force {Name} 2>/dev/null || :");
}
