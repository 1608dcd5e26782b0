using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Nat;

/// <summary>
/// What is known of the NATs before a peer, as far as its punching partner needs it. The default value says nothing.
/// </summary>
/// <remarks>Terms after RFC 4787 and RFC 5780.</remarks>
public readonly record struct NatProfile
{
    /// <summary>For which destinations one inside port keeps its outside one.</summary>
    public NatMapping Mapping { get; init; }

    /// <summary>From where an outside port lets datagrams in.</summary>
    public NatFiltering Filtering { get; init; }

    /// <summary>How the outside port of a new mapping is chosen.</summary>
    public PortAllocation Allocation { get; init; }

    /// <summary>The distance between two ports in a row, when they are <see cref="PortAllocation.Sequential"/>; may be negative.</summary>
    public short Step { get; init; }

    /// <summary>The smallest port that this subscriber may get, when they come from a <see cref="PortAllocation.Block"/>.</summary>
    public ushort LowestPort { get; init; }

    /// <summary>The largest one, included.</summary>
    public ushort HighestPort { get; init; }

    /// <summary>The newest outside address that a server has seen: from its port, sequences go on.</summary>
    public NetworkAddress Newest { get; init; }
}
