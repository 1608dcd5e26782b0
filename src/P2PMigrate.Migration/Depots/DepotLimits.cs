namespace P2PMigrate.Migration.Depots;

/// <summary>Bounds of a depot.</summary>
public static class DepotLimits
{
    /// <summary>The longest object, in bytes.</summary>
    // spec: CONST-450
    public const int MaxObjectLength = 16 * 1024 * 1024;

    /// <summary>A pack or a part of a dump is closed when it has so many bytes.</summary>
    // spec: CONST-451
    internal const int PackLength = 8 * 1024 * 1024;

    /// <summary>The slowest way to a place on which an object still arrives.</summary>
    // spec: CONST-453
    public const int SlowestBytesPerSecond = 64 * 1024;

    /// <summary>Until a place has answered one question; what the content takes comes on top.</summary>
    // spec: CONST-452
    internal static readonly TimeSpan Answer = TimeSpan.FromSeconds(60);

    /// <summary>What a content of so many bytes takes on the slowest way.</summary>
    // spec: DEP-03
    public static TimeSpan TimeOf(int length) => TimeSpan.FromSeconds((double)length / SlowestBytesPerSecond);
}
