using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Nat;

/// <summary>
/// What is known of the NATs before a peer, as far as its punching partner needs it. The default value says nothing.
/// </summary>
/// <remarks>Terms after RFC 4787 and RFC 5780. Encoding: PATH-60.</remarks>
public readonly record struct NatProfile
{
    /// <summary>Bytes of the longest encoding.</summary>
    public const int MaxEncodedLength = 3 + 3 * sizeof(ushort) + NetworkAddress.MaxEncodedLength;

    /// <summary>A NAT that counts further than this at a time is not taken for one that counts.</summary>
    // spec: PATH-60, CONST-222
    public const int LargestStep = 64;

    /// <summary>Ports below are not given to mappings, nor tried.</summary>
    // spec: PATH-60
    public const ushort FirstPort = 1024;

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

    /// <summary>
    /// Reads what <see cref="Encode"/> wrote; false when it is not whole. Values that say nothing to this revision are unknown, an
    /// address to which nothing can be sent is none.
    /// </summary>
    // spec: PATH-60
    public static bool TryDecode(ref WireReader reader, out NatProfile profile)
    {
        bool isWhole = reader.TryReadByte(out byte mapping)
            & reader.TryReadByte(out byte filtering)
            & reader.TryReadByte(out byte allocation)
            & reader.TryReadUInt16(out ushort step)
            & reader.TryReadUInt16(out ushort lowest)
            & reader.TryReadUInt16(out ushort highest)
            & OptionalAddress.TryDecode(ref reader, out NetworkAddress newest);
        profile = new()
        {
            Mapping = mapping <= (byte)NatMapping.AddressAndPortDependent ? (NatMapping)mapping : NatMapping.Unknown,
            Filtering = filtering <= (byte)NatFiltering.AddressAndPortDependent ? (NatFiltering)filtering : NatFiltering.Unknown,
            Allocation = (PortAllocation)allocation,
            Step = (short)step,
            LowestPort = lowest,
            HighestPort = highest,
            Newest = newest.IsUsable ? newest : default,
        };
        if (!profile.HasUsefulPorts)
            profile = profile with { Allocation = PortAllocation.Unknown, Step = 0, LowestPort = 0, HighestPort = 0 };
        return isWhole;
    }

    /// <summary>Writes mapping, filtering, allocation, step, range, and the newest address or a zero byte.</summary>
    // spec: PATH-60
    public void Encode(ref WireWriter writer)
    {
        writer.WriteByte((byte)Mapping);
        writer.WriteByte((byte)Filtering);
        writer.WriteByte((byte)Allocation);
        writer.WriteUInt16((ushort)Step);
        writer.WriteUInt16(LowestPort);
        writer.WriteUInt16(HighestPort);
        OptionalAddress.Encode(ref writer, Newest);
    }

    private bool HasUsefulPorts => Allocation switch
    {
        PortAllocation.Unknown or PortAllocation.Preserving or PortAllocation.Random => true,
        PortAllocation.Sequential => Step != 0 && Math.Abs((int)Step) <= LargestStep,
        PortAllocation.Block => LowestPort >= FirstPort && LowestPort <= HighestPort,
        _ => false,
    };
}
