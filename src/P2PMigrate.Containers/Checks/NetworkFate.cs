namespace P2PMigrate.Containers.Checks;

/// <summary>What becomes of a container's network namespace when the container moves.</summary>
internal enum NetworkFate
{
    /// <summary>The runtime makes an empty one at the target.</summary>
    LeftBehind = 0,

    /// <summary>Somebody has prepared one at the target.</summary>
    Prepared = 1,

    /// <summary>Who manages the container makes one like it at the target, with the same addresses.</summary>
    MadeAnew = 2,

    /// <summary>It is part of the dump, with all its rules.</summary>
    Dumped = 3,
}
