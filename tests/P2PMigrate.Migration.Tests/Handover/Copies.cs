using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Protocol;

namespace P2PMigrate.Migration.Tests.Handover;

/// <summary>
/// What really is: every copy of every container on both machines, whatever any program believes. A copy that runs counts; none may begin to run with less than
/// one that ran before had, and never two at a time.
/// </summary>
internal sealed class Copies(HandoverWorld world)
{
    private readonly Dictionary<(string Machine, string Container), Copy> _copies = [];
    private readonly Dictionary<string, long> _highest = [];

    /// <summary>The copy of a container on a machine, or null.</summary>
    public Copy? Find(string machine, string container) => _copies.GetValueOrDefault((machine, container));

    /// <summary>How many copies of a container run.</summary>
    public int Running(string container) => _copies.Count(copy => copy.Key.Container == container && copy.Value.State == CopyState.Running);

    /// <summary>Does the copy on a machine lack memory that only its source has?</summary>
    public bool Lacks(string machine, string container) => Find(machine, container) is { LacksMemory: true };

    /// <summary>Does a copy run that lacks memory, and the frozen one that has it is gone, or has run since?</summary>
    // spec: MIG-104
    public bool IsStranded(string container)
    {
        Copy[] copies = [.. _copies.Where(copy => copy.Key.Container == container).Select(copy => copy.Value)];
        return Array.Find(copies, copy => copy is { State: CopyState.Running, LacksMemory: true }) is { } lacking && !Array.Exists(copies, copy => copy.State == CopyState.Frozen && copy.Counter == lacking.Image);
    }

    /// <summary>All that it lacked has come.</summary>
    public void Complete(string machine, string container)
    {
        if (Find(machine, container) is not { } copy)
            return;
        copy.LacksMemory = false;
        world.TellArrival(machine, container);
    }

    /// <summary>A container is started by its owner.</summary>
    public void Start(string machine, string container) => Run(machine, container, Put(machine, container, new Copy(1)));

    /// <summary>The source stops it.</summary>
    public void Freeze(string machine, string container)
    {
        Copy copy = _copies[(machine, container)];
        copy.Counter = CounterOf(copy);
        _highest[container] = Math.Max(_highest[container], copy.Counter);
        copy.State = CopyState.Frozen;
    }

    /// <summary>The source lets it go on, if it is there and frozen.</summary>
    public void Thaw(string machine, string container)
    {
        if (Find(machine, container) is { State: CopyState.Frozen } copy)
            Run(machine, container, copy);
    }

    /// <summary>The target builds it from what was dumped.</summary>
    public void Hold(string machine, string container, long counter, bool lacks) =>
        Put(machine, container, new Copy(counter) { State = CopyState.Held, Image = counter, LacksMemory = lacks });

    /// <summary>The target lets it run.</summary>
    public void Release(string machine, string container)
    {
        if (Find(machine, container) is { State: CopyState.Held } copy)
            Run(machine, container, copy);
        else
            world.Complain($"{container} was released at {machine} and was not held there");
    }

    /// <summary>A copy that does not run is removed.</summary>
    public void Remove(string machine, string container)
    {
        if (Find(machine, container) is { State: CopyState.Running })
            world.Complain($"the running {container} was removed from {machine}");
        _copies.Remove((machine, container));
    }

    /// <summary>Throws away a copy that was never let run.</summary>
    public void RemoveHeld(string machine, string container)
    {
        if (Find(machine, container) is { State: CopyState.Held })
            _copies.Remove((machine, container));
    }

    private Copy Put(string machine, string container, Copy copy)
    {
        if (!_copies.TryAdd((machine, container), copy))
            world.Complain($"{container} was made at {machine} and was there already");
        return copy;
    }

    private void Run(string machine, string container, Copy copy)
    {
        (copy.State, copy.Since) = (CopyState.Running, world.Now);
        if (copy.Counter < _highest.GetValueOrDefault(container))
            world.Complain($"the counter of {container} went back to {copy.Counter} at {machine}; it had been {_highest[container]}");
        _highest[container] = copy.Counter + 1;   // it has run, so nothing older may run again
        copy.Counter++;
        if (Running(container) > 1)
            world.Complain($"two copies of {container} run");
    }

    private long CounterOf(Copy copy) => copy.Counter + (long)(world.Now - copy.Since).TotalMilliseconds;

    /// <summary>A copy. Its counter is what it was when it last began to run, or stopped.</summary>
    internal sealed class Copy(long counter)
    {
        public CopyState State { get; set; }

        /// <summary>Is memory of it still in the copy that it was made from?</summary>
        public bool LacksMemory { get; set; }

        /// <summary>The counter of that copy.</summary>
        public long Image { get; init; }

        public long Counter { get; set; } = counter;

        public Instant Since { get; set; }
    }
}
