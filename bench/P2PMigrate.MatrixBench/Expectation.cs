using P2PMigrate.Lab;

namespace P2PMigrate.MatrixBench;

/// <summary>What can be asked of a cell, by what its NATs do (the table is in the design notes, section 6).</summary>
internal enum Expectation
{
    /// <summary>A direct path, by plain probes.</summary>
    Direct,

    /// <summary>A direct path, found by guessing ports: one side maps per destination, or both within small blocks.</summary>
    Guessed,

    /// <summary>A connection through a relay.</summary>
    Relayed,
}

/// <summary>The rules behind the table.</summary>
internal static class Expectations
{
    public static Expectation Of(Cell cell)
    {
        (NatKind source, NatKind target) = (cell.Source, cell.Target);
        if (cell.Sharing == NatSharing.OneLan) return Expectation.Direct;
        if (cell.Sharing == NatSharing.ApartOnOneLan) return source.Hairpins ? Expectation.Direct : Expectation.Relayed;
        if (source.BlocksUdp || target.BlocksUdp) return Expectation.Relayed;
        if (source.HasIPv6 && target.HasIPv6) return Expectation.Direct;
        if (LetsStrangersIn(source) || LetsStrangersIn(target)) return Expectation.Direct;
        return (IsPredictable(source), IsPredictable(target)) switch
        {
            (true, true) => Expectation.Direct,
            (false, false) => source.Ports is not null && target.Ports is not null ? Expectation.Guessed : Expectation.Relayed,
            _ => Expectation.Guessed,
        };
    }

    /// <summary>An address that was sent to is let in from whatever port, so that the other side's does not matter; or the router is asked for a port.</summary>
    private static bool LetsStrangersIn(NatKind kind) => kind.MapsPorts || kind.Filtering != NatFiltering.AddressAndPortDependent;

    private static bool IsPredictable(NatKind kind) => kind.Mapping != NatMapping.AddressAndPortDependent;
}
