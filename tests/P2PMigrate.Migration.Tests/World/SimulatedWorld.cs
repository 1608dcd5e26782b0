using System.Collections.Concurrent;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>Sees every copy of every container on every machine, and notes when two copies of one run at once, or one runs whose memory is nowhere.</summary>
internal sealed class SimulatedWorld
{
    private readonly Lock _lock = new();
    private readonly List<SimulatedContainer> _copies = [];
    private readonly ConcurrentQueue<string> _violations = new();

    /// <summary>What must never have happened but did.</summary>
    public IEnumerable<string> Violations => _violations;

    public void Add(SimulatedContainer copy)
    {
        lock (_lock)
            _copies.Add(copy);
    }

    public IReadOnlyList<SimulatedContainer> CopiesIn(CopyState state)
    {
        lock (_lock)
            return [.. _copies.Where(copy => copy.State == state)];
    }

    public void Transition(SimulatedContainer copy, Action change)
    {
        lock (_lock)
        {
            change();
            if (_copies.Count(other => other.Name == copy.Name && other.State == CopyState.Running) > 1)
                _violations.Enqueue($"two copies of '{copy.Name}' run");
            if (_copies.Exists(other => other.Name == copy.Name && other is { State: CopyState.Running, LacksMemory: true })
                && !_copies.Exists(other => other.Name == copy.Name && other.State == CopyState.Frozen))
                _violations.Enqueue($"'{copy.Name}' runs and lacks memory that nobody has any more"); // spec: MIG-104
        }
    }

    public void Complain(string violation) => _violations.Enqueue(violation);
}

/// <summary>What a copy of a container does.</summary>
internal enum CopyState
{
    Running,
    Frozen,
    Held,
    Gone,
}
