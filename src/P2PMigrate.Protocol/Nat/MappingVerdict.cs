using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Nat;

/// <summary>Tells a NAT's mapping from the outside addresses of one socket that a server's sockets saw.</summary>
// spec: PATH-62
internal static class MappingVerdict
{
    /// <summary>
    /// The verdict on what was seen at the server's main socket, at its second port and at its second address; none where nothing was.
    /// Without a second address the best case is assumed, which nearly all NATs are that treat ports alike; without a second port the worst.
    /// </summary>
    public static NatMapping Of(NetworkAddress main, NetworkAddress otherPort, NetworkAddress otherAddress)
    {
        bool isPortSame = otherPort == main, isAddressSame = otherAddress == main;
        return main.IsNone || (otherPort.IsNone && otherAddress.IsNone) ? NatMapping.Unknown
            : !otherPort.IsNone && !isPortSame ? NatMapping.AddressAndPortDependent
            : otherAddress.IsNone || isAddressSame ? NatMapping.EndpointIndependent
            : otherPort.IsNone ? NatMapping.AddressAndPortDependent
            : NatMapping.AddressDependent;
    }
}
