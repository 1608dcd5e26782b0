namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>A test about process trees without a container: it is run with no other runtime.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OfTreesAttribute : Attribute;
