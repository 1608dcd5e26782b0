namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>A test about Podman alone: it is run with no other runtime.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OfPodmanAttribute : Attribute;
