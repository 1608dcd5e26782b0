namespace P2PMigrate.Migration.Runtime;

/// <summary>What becomes of the volumes of a container: directories and files of its machine that it sees below its root (bind mounts).</summary>
public sealed record VolumeChoice
{
    /// <summary>Of all that are not <see cref="Named"/>.</summary>
    public VolumePolicy Others { get; init; } = VolumePolicy.Expect;

    /// <summary>By the paths at which the container sees them, absolute and without a slash at the end.</summary>
    public IReadOnlyDictionary<string, VolumePolicy> Named { get; init; } = new Dictionary<string, VolumePolicy>();

    /// <summary>What becomes of the volume that the container sees at <paramref name="path"/>.</summary>
    public VolumePolicy Of(string path) => Named.TryGetValue(path, out VolumePolicy policy) ? policy : Others;
}

/// <summary>What becomes of one volume.</summary>
public enum VolumePolicy
{
    /// <summary>The target has the same at the same place of its own.</summary>
    Expect = 0,

    /// <summary>Its content goes along, into the root file system at the target.</summary>
    Copy,

    /// <summary>Its content stays; at the target it is empty.</summary>
    Skip,
}
