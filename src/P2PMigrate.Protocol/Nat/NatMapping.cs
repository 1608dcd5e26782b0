namespace P2PMigrate.Protocol.Nat;

/// <summary>For which destinations a NAT keeps the outside port of one inside address and port (RFC 4787, 4.1).</summary>
public enum NatMapping : byte
{
    /// <summary>Not learned yet.</summary>
    Unknown = 0,

    /// <summary>For all. Also where there is no NAT at all.</summary>
    EndpointIndependent = 1,

    /// <summary>For all ports of one host.</summary>
    AddressDependent = 2,

    /// <summary>For one host and port only: a symmetric NAT.</summary>
    AddressAndPortDependent = 3,
}
