using System.Text;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Containers.Volumes;

/// <summary>A directory or file of the machine that a container sees at another place, as its configuration says it.</summary>
/// <param name="Source">Where it is. Relative to the root file system's own place, with <see cref="Along"/> before it, when it goes along.</param>
/// <param name="Destination">Where the container sees it.</param>
// spec: MIG-186
internal sealed record BindMount(string Source, string Destination)
{
    /// <summary>How the source begins of one that goes along in the root file system: with the usual name of that in a bundle.</summary>
    public const string Along = "rootfs/";

    /// <summary>Are its files somebody else's in the container than here (an idmapped mount)?</summary>
    public bool MapsOwners { get; init; }

    /// <summary>The destination in the one way in which it can be compared: absolute, without a slash at its end.</summary>
    public string Path => System.IO.Path.GetFullPath("/" + Destination.Trim('/'));

    /// <summary>Does it go along?</summary>
    public bool GoesAlong => Source.StartsWith(Along, StringComparison.Ordinal);

    /// <summary>Its place in the root file system, where that is one that can be; else null.</summary>
    public string? Within => GoesAlong && Source[Along.Length..] is { Length: > 0 } path && TreePath.TryParse(Encoding.UTF8.GetBytes(path), out _, out _) ? path : null;
}
