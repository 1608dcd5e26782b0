using System.Collections.Concurrent;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>Sees every copy of every container on every machine, and notes when two copies of one run at once.</summary>
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
