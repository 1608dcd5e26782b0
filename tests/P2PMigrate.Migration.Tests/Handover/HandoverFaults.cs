namespace P2PMigrate.Migration.Tests.Handover;

/// <summary>What may go wrong in a run, by its seed: each kind of fault in some runs, often or seldom, and nothing once <see cref="End"/> has come.</summary>
internal sealed class HandoverFaults
{
    /// <summary>After this time nothing goes wrong any more.</summary>
    public static readonly TimeSpan End = TimeSpan.FromSeconds(90);

    private HandoverFaults()
    {
    }

    /// <summary>Nothing goes wrong.</summary>
    public static HandoverFaults None { get; } = new();

    /// <summary>Programs that are killed at some time, on either machine.</summary>
    public int Kills { get; private init; }

    /// <summary>Links that break for good.</summary>
    public int Cuts { get; private init; }

    /// <summary>Links that are away for a while.</summary>
    public int Gaps { get; private init; }

    /// <summary>Jobs that a user interrupts, on either side.</summary>
    public int Interrupts { get; private init; }

    /// <summary>Once a bit of a journal changes on the disk of a machine whose program is down.</summary>
    public bool Rots { get; private init; }

    /// <summary>Messages come twice, late, and in another order, as no tunnel delivers them.</summary>
    public bool IsNetworkAbsurd { get; private init; }

    /// <summary>Records take up to 15 s.</summary>
    public bool IsDiskSlow { get; private init; }

    /// <summary>One piece of work in so many fails; 0 for none.</summary>
    public int WorkFails { get; private init; }

    /// <summary>One access to a disk in so many finds it full.</summary>
    public int DiskFull { get; private init; }

    /// <summary>One access to a disk in so many is an error.</summary>
    public int DiskErrors { get; private init; }

    /// <summary>One access to a disk in so many is the last that its program makes.</summary>
    public int DeathAtDisk { get; private init; }

    /// <summary>The faults of a run.</summary>
    public static HandoverFaults Of(Random random) => new()
    {
        Kills = Some(random, 3),
        Cuts = Some(random, 3),
        Gaps = Some(random, 3),
        Interrupts = Some(random, 3),
        Rots = random.Next(12) == 0,
        IsNetworkAbsurd = random.Next(6) == 0,
        IsDiskSlow = random.Next(4) == 0,
        WorkFails = Often(random),
        DiskFull = Often(random),
        DiskErrors = Often(random),
        DeathAtDisk = Often(random),
    };

    private static int Some(Random random, int most) => random.Next(2) == 0 ? 0 : 1 + random.Next(most);

    private static int Often(Random random) => random.Next(3) == 0 ? 4 + random.Next(30) : 0;
}
