using System.Collections.Immutable;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Simulation.Scripts;

/// <summary>
/// Makes a failing script as small as it can: leaves operations out, first many and then single ones, and takes one fault
/// of the links away after the other, as long as it still fails.
/// </summary>
public sealed class Shrinker(Func<Script, bool> fails, int maxRuns = 400)
{
    private int _runs;

    /// <summary>The smallest script found that fails, <paramref name="script"/> itself at worst.</summary>
    public Script Shrink(Script script)
    {
        Script smallest = ShrinkOperations(script);
        smallest = ShrinkFaults(smallest, script => script.Direct, (script, faults) => script with { Direct = faults });
        smallest = ShrinkFaults(smallest, script => script.Relay, (script, faults) => script with { Relay = faults });
        return ShrinkOperations(smallest);
    }

    private Script ShrinkOperations(Script script)
    {
        for (int size = Math.Max(1, script.Operations.Length / 2); ; size = Math.Max(1, size / 2))
        {
            int before = script.Operations.Length;
            for (int at = 0; at < script.Operations.Length;)
            {
                Script smaller = script with { Operations = script.Operations.RemoveRange(at, Math.Min(size, script.Operations.Length - at)) };
                if (StillFails(smaller))
                    script = smaller;
                else
                    at += size;
            }

            if (size == 1 && script.Operations.Length == before)
                return script;
        }
    }

    private Script ShrinkFaults(Script script, Func<Script, LinkFaults> get, Func<Script, LinkFaults, Script> set)
    {
        ImmutableArray<Func<LinkFaults, LinkFaults>> simpler =
        [
            faults => faults with { Corrupt = 0 },
            faults => faults with { Duplicate = 0 },
            faults => faults with { Bursts = null },
            faults => faults with { Reorder = 0 },
            faults => faults with { Jitter = TimeSpan.Zero },
            faults => faults with { Rate = 0 },
            faults => faults with { Loss = 0 },
        ];
        foreach (Func<LinkFaults, LinkFaults> simplify in simpler)
        {
            LinkFaults simplified = simplify(get(script));
            if (simplified != get(script) && set(script, simplified) is { } smaller && StillFails(smaller))
                script = smaller;
        }

        return script;
    }

    private bool StillFails(Script script) => _runs++ < maxRuns && fails(script);
}
