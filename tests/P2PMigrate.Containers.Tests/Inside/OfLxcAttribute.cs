namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>A test about LXC alone: it is run with no other runtime.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OfLxcAttribute : Attribute;
