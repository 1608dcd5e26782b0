namespace P2PMigrate.Protocol.Nat;

/// <summary>From where a NAT, or a firewall, lets datagrams in to an outside port that is in use (RFC 4787, 5).</summary>
public enum NatFiltering : byte
{
    /// <summary>Not learned yet.</summary>
    Unknown = 0,

    /// <summary>From everywhere.</summary>
    EndpointIndependent = 1,

    /// <summary>From hosts to which something was sent.</summary>
    AddressDependent = 2,

    /// <summary>From hosts and ports to which something was sent.</summary>
    AddressAndPortDependent = 3,
}
