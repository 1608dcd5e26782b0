namespace P2PMigrate.Containers.Volumes;

/// <summary>A runtime's configuration of a container, as far as it says what of its machine the container sees.</summary>
internal interface IVolumeConfiguration
{
    /// <summary>Files and directories of the machine that it sees.</summary>
    IReadOnlyList<BindMount> BindMounts { get; }

    /// <summary>The same configuration with other sources for some destinations, as text.</summary>
    byte[] WithSources(IReadOnlyDictionary<string, string> sources);
}
