namespace P2PMigrate.Migration;

/// <summary>What a person says is lost for good, so that it needs no asking: nobody finds out whether that is so.</summary>
[Flags]
public enum LostForGood
{
    /// <summary>Nothing.</summary>
    Nothing = 0,

    /// <summary>The place of a stage's dump, with all that could be restored from it.</summary>
    // spec: DEP-24
    Place = 1,

    /// <summary>The target, with the container that ran there.</summary>
    // spec: MIG-104
    Target = 2,
}
