using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Nat;

/// <summary>What a <see cref="NatSurvey"/> has found so far.</summary>
public sealed record NatReport
{
    /// <summary>What peers are told.</summary>
    public NatProfile Profile { get; init; }

    /// <summary>The main socket's address as the server sees it; none while it has not answered.</summary>
    public NetworkAddress Observed { get; init; }

    /// <summary>Did the server answer from a second port? Without it, less can be known.</summary>
    public bool HasOtherPort { get; init; }

    /// <summary>Did the server answer from a second address? Without it, a NAT that maps for each host looks like one that maps for all.</summary>
    public bool HasOtherAddress { get; init; }

    /// <summary>Does a datagram to one's own outside address come back inside? Null when that is not known.</summary>
    public bool? Hairpins { get; init; }

    /// <summary>The shortest time for an answer of the server.</summary>
    public TimeSpan? RoundTrip { get; init; }

    /// <summary>Is nothing left to ask?</summary>
    public bool IsComplete { get; init; }
}
