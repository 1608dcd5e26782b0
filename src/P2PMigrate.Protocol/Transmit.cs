using P2PMigrate.Protocol.Paths;

namespace P2PMigrate.Protocol;

/// <summary>A datagram to send now: the first <paramref name="Length"/> bytes of the polled buffer, on <paramref name="Path"/>.</summary>
public readonly record struct Transmit(PathAddress Path, int Length);
