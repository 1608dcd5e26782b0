using System.Buffers.Binary;
using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Nodes;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>A container with a program in it, in a directory below /data. Disposing removes the container, not the bundle.</summary>
internal sealed class Workload : IAsyncDisposable
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(20);

    private Workload(string name) => Name = name;

    public string Name { get; }

    public string Bundle => $"/data/{Name}";

    public string Cgroup => IGround.Current.CgroupOf(Name);

    public string Root => $"{Bundle}/rootfs";

    /// <summary>What the program counted last.</summary>
    public ulong Count => CountIn(Root);

    /// <summary>The counting Python program. <paramref name="extras"/> are things that it shall hold.</summary>
    public static async Task<Workload> CountingAsync(int megabytes = 60, string[]? extras = null, Action<JsonObject>? configure = null, params (string Source, string Destination)[] volumes)
    {
        Workload workload = await PrepareAsync(["python3", "/counter.py", megabytes.ToString(), .. extras ?? []], configure, volumes);
        await workload.PutAsync("counter.py");
        await workload.StartAsync();
        await workload.WaitForCountAsync(2000);
        return workload;
    }

    /// <summary>A Python program of this assembly, once it has made <c>/ready</c>. Its loopback is raised after it has begun.</summary>
    public static async Task<Workload> RunningAsync(string program, params string[] arguments)
    {
        Workload workload = await PrepareAsync(["python3", $"/{program}", .. arguments]);
        await workload.PutAsync(program);
        await workload.StartAsync();
        await Shell.RunAsync($"nsenter -t {await workload.InitPidAsync()} -n ip link set lo up");
        await workload.WaitUntilReadyAsync();
        return workload;
    }

    /// <summary>A bundle from the host's template, not started.</summary>
    public static async Task<Workload> PrepareAsync(string[] arguments, Action<JsonObject>? configure = null, params (string Source, string Destination)[] volumes)
    {
        var workload = new Workload(IGround.Current.NewName());
        await Shell.RunAsync($"mkdir -p {workload.Bundle}; cp -a /opt/container-template {workload.Root}");
        await IGround.Current.ConfigureAsync(workload.Name, arguments, configure, volumes);
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

    public Task StartAsync(string streams = "</dev/null >/dev/null 2>&1") => IGround.Current.StartAsync(Name, Name, streams);

    public async Task WaitForCountAsync(ulong count)
    {
        for (long start = Stopwatch.GetTimestamp(); Count < count; await Task.Yield())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < s_startLimit, $"the counter of {Name} stands at {Count}, not {count}");
        }
    }

    /// <summary>Until the program has made <c>/ready</c>.</summary>
    public Task WaitUntilReadyAsync() => Shell.RunAsync($"timeout 30 sh -c 'until [ -e {Root}/ready ]; do sleep 0.05; done' || {{ tail {Root}/said; exit 1; }}");

    /// <summary>The first process, in this host's numbers.</summary>
    public Task<int> InitPidAsync() => IGround.Current.InitPidAsync(Name);

    /// <summary><c>running</c>, <c>paused</c>, or <c>gone</c>.</summary>
    public static Task<string> StatusAsync(string name) => IGround.Current.StatusAsync(name);

    public static ulong CountIn(string root)
    {
        string path = $"{root}/counter";
        if (!File.Exists(path)) return 0;
        byte[] bytes = File.ReadAllBytes(path);
        return bytes.Length < 8 ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    public Task PutAsync(string program) => WriteAsync(program, $"{Root}/{program}");

    /// <summary>Writes a program of this assembly to a file.</summary>
    public static async Task WriteAsync(string program, string path)
    {
        using Stream text = Assembly.GetExecutingAssembly().GetManifestResourceStream(program)!;
        await using FileStream copy = File.Create(path);
        await text.CopyToAsync(copy);
    }

    public async ValueTask DisposeAsync() => await Shell.RunAsync($"echo 0 > {Cgroup}/cgroup.freeze 2>/dev/null || :; {IGround.Current.Removal(Name)}");
}
