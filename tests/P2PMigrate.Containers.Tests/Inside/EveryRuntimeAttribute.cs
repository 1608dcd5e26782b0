namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>A test of what <see cref="Migration.Runtime.IContainerRuntime"/> promises: it is run with each runtime. Others are about runc.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EveryRuntimeAttribute : Attribute
{
    /// <summary>Only with those that start a container from a bundle, for the test writes into its configuration.</summary>
    public bool WithBundles { get; init; }

    /// <summary>And with process trees without a container, which cannot be where their copy is: such a test restores none.</summary>
    public bool AndTrees { get; init; }
}
