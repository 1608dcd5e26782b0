using P2PMigrate.Lab;
using P2PMigrate.MigrationBench.Ground;

namespace P2PMigrate.MigrationBench.Contenders;

/// <summary>One way to move a container, or, for a floor, to stop and start it where it is.</summary>
internal interface IContender
{
    string Name { get; }

    /// <summary>Why it cannot run on this machine, or null.</summary>
    string? WhyNot { get; }

    /// <summary>Does the container run at the target afterwards?</summary>
    bool Moves { get; }

    /// <summary>Packages of Debian that its hosts need beside the usual ones.</summary>
    IReadOnlyList<string> Packages => [];

    /// <summary>Starts the container at the source and waits until it answers.</summary>
    Task StartAsync(TwoHosts hosts, WorkloadText workload, CancellationToken cancellationToken) => hosts.StartAsync(workload, cancellationToken);

    /// <summary>Moves the container, and returns figures of its own by name, in milliseconds or bytes.</summary>
    Task<IReadOnlyDictionary<string, double>> MoveAsync(TwoHosts hosts, CancellationToken cancellationToken);
}

/// <summary>All contenders by the names that plans use.</summary>
internal static class ContenderList
{
    private static readonly IContender[] s_all = [new CriuFloor(lazy: false), new CriuFloor(lazy: true), new RuncByHand(), new PodmanByHand()];

    public static IContender Find(string name) => name.StartsWith(OurProgram.Prefix, StringComparison.Ordinal)
        ? new OurProgram(name)
        : s_all.FirstOrDefault(contender => contender.Name == name)
            ?? throw new LabException($"there is no contender `{name}`; known are {OurProgram.Prefix} with options, {string.Join(", ", s_all.Select(contender => contender.Name))}");
}
