namespace P2PMigrate.Protocol.Paths;

/// <summary>A path at one moment. <paramref name="RoundTrip"/> is the smoothed round-trip time.</summary>
public readonly record struct PathStatus(PathAddress Address, PathKind Kind, TimeSpan RoundTrip);
