namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>Every step of a good run, in an order in which it may happen. A test compares the list with a real run.</summary>
internal static class FaultSteps
{
    public static readonly string[] Source =
    [
        "source:describe", "source:journal:Copying", "source:live", "source:progress:Copying", "source:prepare freeze", "source:journal:Freezing", "source:freeze",
        "source:frozen",
        "source:dump", "source:progress:Dumping", "source:dumping", "source:dumped", "source:progress:Shipping", "source:journal:Committed",
        "source:journal:Destroying", "source:destroy", "source:destroyed", "source:journal:Completed",
    ];

    public static readonly string[] Target =
    [
        "target:check", "target:admit", "target:journal:Receiving", "target:prepare restore", "target:page", "target:pages", "target:journal:Restoring", "target:verify",
        "target:restore", "target:restored", "target:journal:Releasing", "target:release", "target:released", "target:complete", "target:journal:Confirming",
        "target:journal:Completed", "target:dispose",
    ];

    /// <summary>More steps of one in which memory follows the container.</summary>
    public static readonly string[] LateSource = ["source:wanted", "source:journal:Giving", "source:progress:Giving", "source:give"];

    public static readonly string[] LateTarget = ["target:want", "target:late page", "target:late pages", "target:completed"];

    public static TheoryData<string> All => [.. Source, .. Target];
}
