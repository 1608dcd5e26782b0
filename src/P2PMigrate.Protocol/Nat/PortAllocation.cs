namespace P2PMigrate.Protocol.Nat;

/// <summary>How a NAT chooses the outside port of a new mapping.</summary>
public enum PortAllocation : byte
{
    /// <summary>Not learned yet.</summary>
    Unknown = 0,

    /// <summary>The inside one, if it is free.</summary>
    Preserving = 1,

    /// <summary>The last one and a step.</summary>
    Sequential = 2,

    /// <summary>Any of a range that belongs to the subscriber (RFC 7422).</summary>
    Block = 3,

    /// <summary>Any.</summary>
    Random = 4,
}
