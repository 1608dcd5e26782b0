using System.Buffers.Binary;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>One copy of a container: a real root file system, memory of which the first page holds a counter, and a state.</summary>
internal sealed class SimulatedContainer
{
    /// <summary>Where its first page is.</summary>
    public const ulong Address = 0x10000;

    private readonly SimulatedWorld _world;

    public SimulatedContainer(SimulatedWorld world, string machine, string name, string root, byte[] memory, CopyState state)
    {
        (_world, Machine, Name, Root, Memory, State) = (world, machine, name, root, memory, state);
        world.Add(this);
    }

    public string Machine { get; }

    public string Name { get; }

    public string Root { get; }

    public byte[] Memory { get; }

    public CopyState State { get; private set; }

    /// <summary>How often it has begun to run: what a copy is like that was thawed meanwhile is not what was dumped.</summary>
    public int Runs { get; private set; }

    /// <summary>Brings what it lacks, of a copy that was restored before all of its memory was there; else null.</summary>
    public LateArrival? Arrival { get; private set; }

    /// <summary>Does it lack memory that only its source has?</summary>
    public bool LacksMemory => Arrival is { IsComplete: false };

    public long Counter => BinaryPrimitives.ReadInt64LittleEndian(Memory);

    /// <summary>Half of the pages are zero, the others are noise of which no compressor makes much.</summary>
    public static byte[] NewMemory(int pages, int seed)
    {
        byte[] memory = new byte[pages * PageRun.PageSize];
        var random = new Random(seed);
        for (int page = 0; page < pages; page += 2)
            random.NextBytes(memory.AsSpan(page * PageRun.PageSize, PageRun.PageSize));
        BinaryPrimitives.WriteInt64LittleEndian(memory, 1);
        return memory;
    }

    /// <summary>Its memory is to come by <paramref name="arrival"/>.</summary>
    public void Await(LateArrival arrival)
    {
        Arrival = arrival;
        arrival.FillFromNowOn(Memory);
    }

    public void Become(CopyState state) => _world.Transition(this, () =>
    {
        if (State == CopyState.Gone && state != CopyState.Gone)
            _world.Complain($"a dead copy of '{Name}' became {state}");
        Runs += state == CopyState.Running ? 1 : 0;
        State = state;
    });

    /// <summary>What a running container does with its time: counts, appends to its log, makes and deletes files.</summary>
    public void Live()
    {
        if (State != CopyState.Running)
            return;
        BinaryPrimitives.WriteInt64LittleEndian(Memory, Counter + 1);
        File.AppendAllText(Path.Combine(Root, "var/log"), $"{Counter}\n");
        File.WriteAllText(Path.Combine(Root, $"var/made-{Counter}"), new string('x', (int)Counter % 977));
        File.Delete(Path.Combine(Root, $"var/made-{Counter - 3}"));
    }
}
