namespace P2PMigrate.Migration.Tests.World;

/// <summary>A machine: its containers outlive any program that looks after them.</summary>
internal sealed class SimulatedMachine(SimulatedWorld world, string name, string directory)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SimulatedContainer> _containers = [];
    private readonly Dictionary<string, LateArrival> _arrivals = [];

    public string Name => name;

    public string DirectoryPath => directory;

    public SimulatedWorld World => world;

    public SimulatedContainer? Find(string container)
    {
        lock (_lock)
            return _containers.GetValueOrDefault(container) is { State: not CopyState.Gone } alive ? alive : null;
    }

    /// <summary>What arrives for the container of a job, or null when nothing does. It outlives the program that takes it in.</summary>
    public LateArrival? FindArrival(string job)
    {
        lock (_lock)
            return _arrivals.GetValueOrDefault(job);
    }

    /// <summary>The same, begun if it was not.</summary>
    public LateArrival Expect(string job, Func<LateArrival> begin)
    {
        lock (_lock)
            return _arrivals.TryGetValue(job, out LateArrival? arrival) ? arrival : _arrivals[job] = begin();
    }

    public SimulatedContainer Start(string container, string root, byte[] memory, CopyState state)
    {
        lock (_lock)
            return _containers[container] = new SimulatedContainer(world, name, container, root, memory, state);
    }

    /// <summary>A user's own container with a small tree of many kinds of files.</summary>
    public SimulatedContainer StartNew(string container, int memoryPages = 600)
    {
        string root = Path.Combine(directory, "bundles", container, "rootfs");
        Directory.CreateDirectory(Path.Combine(root, "bin"));
        Directory.CreateDirectory(Path.Combine(root, "var"));
        File.WriteAllText(Path.Combine(root, "bin/program"), new string('p', 300_000));
        File.CreateSymbolicLink(Path.Combine(root, "bin/link"), "program");
        File.WriteAllText(Path.Combine(root, "var/log"), "");
        byte[] noise = new byte[700_000];
        new Random(memoryPages).NextBytes(noise);
        File.WriteAllBytes(Path.Combine(root, "var/noise"), noise);
        return Start(container, root, SimulatedContainer.NewMemory(memoryPages, seed: 7), CopyState.Running);
    }
}
