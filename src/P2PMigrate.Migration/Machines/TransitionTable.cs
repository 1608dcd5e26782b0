using System.Collections.Frozen;

namespace P2PMigrate.Migration.Machines;

/// <summary>
/// All transitions of a machine, and nothing else may happen. Chapter 11 prints the same table; a test compares the two.
/// </summary>
internal sealed class TransitionTable<TState, TEvent>(params Transition<TState, TEvent>[] rows)
    where TState : struct, Enum
    where TEvent : struct, Enum
{
    private readonly FrozenDictionary<(TState, TEvent), TState> _next = rows.ToFrozenDictionary(row => (row.From, row.On), row => row.To);

    /// <summary>The rows, in the order of the chapter.</summary>
    public IReadOnlyList<Transition<TState, TEvent>> Rows { get; } = rows;

    /// <summary>May <paramref name="on"/> happen in <paramref name="from"/>?</summary>
    public bool Allows(TState from, TEvent on) => _next.ContainsKey((from, on));

    /// <summary>The state that follows. To ask for what is not in the table is a bug of ours.</summary>
    public TState Next(TState from, TEvent on) =>
        _next.TryGetValue((from, on), out TState to) ? to : throw new InvalidOperationException($"{on} cannot happen in state {from}.");
}

/// <summary>One row: in <paramref name="From"/>, <paramref name="On"/> leads to <paramref name="To"/>.</summary>
internal readonly record struct Transition<TState, TEvent>(TState From, TEvent On, TState To);
