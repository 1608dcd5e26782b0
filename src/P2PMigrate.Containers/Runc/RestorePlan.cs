using P2PMigrate.Containers.Linux;

namespace P2PMigrate.Containers.Runc;

/// <summary>
/// What a restore needs to know of this machine, asked before the source freezes, perhaps hours before. Lives in the work directory; without it, or when it
/// is true no more, the restore asks by itself.
/// </summary>
/// <param name="NetworkNamespacePath">The prepared network namespace, or null when there is none.</param>
/// <param name="NamespaceNumber">Which one was there; zero when none.</param>
/// <param name="Links">The outer ends of its links.</param>
internal sealed record RestorePlan(string? NetworkNamespacePath, ulong NamespaceNumber, IReadOnlyList<BridgeLink> Links)
{
    /// <summary>Looks at the machine, as it is now.</summary>
    public static async Task<RestorePlan> MakeAsync(string? networkNamespacePath, CancellationToken cancellationToken)
    {
        if (networkNamespacePath is null) return new RestorePlan(null, 0, []);
        ulong number = NetworkIsolation.NamespaceNumber(networkNamespacePath);
        return new RestorePlan(networkNamespacePath, number, (await NetworkIsolation.FindAsync(networkNamespacePath, cancellationToken).ConfigureAwait(false)).Links);
    }

    /// <summary>Does it still hold for a container in this network namespace? Asks no other program.</summary>
    public bool IsCurrent(string? networkNamespacePath) =>
        networkNamespacePath == NetworkNamespacePath
        && (networkNamespacePath is null || (NamespaceNumber != 0 && NetworkIsolation.NamespaceNumber(networkNamespacePath) == NamespaceNumber))
        && NetworkIsolation.AreCurrent(Links);
}
