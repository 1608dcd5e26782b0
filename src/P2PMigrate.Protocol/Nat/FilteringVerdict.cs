namespace P2PMigrate.Protocol.Nat;

/// <summary>Tells a NAT's filtering from what came to a socket that had sent to the server's main socket only.</summary>
// spec: PATH-64
internal static class FilteringVerdict
{
    /// <summary>
    /// The verdict: did an answer come from the server's second port, and from its second address? Null: nothing can be said, for
    /// that socket of the server has never been heard. Where one answer is missing the stricter case is assumed.
    /// </summary>
    public static NatFiltering Of(bool? fromOtherPort, bool? fromOtherAddress) => (fromOtherPort, fromOtherAddress) switch
    {
        (_, true) => NatFiltering.EndpointIndependent,
        (true, _) => NatFiltering.AddressDependent,
        (null, null) => NatFiltering.Unknown,
        _ => NatFiltering.AddressAndPortDependent,
    };
}
