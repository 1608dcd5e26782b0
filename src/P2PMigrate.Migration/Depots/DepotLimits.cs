namespace P2PMigrate.Migration.Depots;

/// <summary>Bounds of a depot.</summary>
// spec: CONST-450
public static class DepotLimits
{
    /// <summary>The longest object, in bytes: what is sealed comes on top.</summary>
    public const int MaxObjectLength = 16 * 1024 * 1024;
}
