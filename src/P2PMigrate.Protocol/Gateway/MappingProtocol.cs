namespace P2PMigrate.Protocol.Gateway;

/// <summary>The languages in which a gateway is asked to map a port, best first.</summary>
// spec: PATH-52
public enum MappingProtocol
{
    /// <summary>Port Control Protocol, RFC 6887.</summary>
    Pcp,

    /// <summary>NAT Port Mapping Protocol, RFC 6886.</summary>
    NatPmp,

    /// <summary>UPnP Internet Gateway Device, versions 1 and 2.</summary>
    Upnp,
}

/// <summary>Which of them may be spoken.</summary>
[Flags]
public enum MappingProtocols
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary><see cref="MappingProtocol.Pcp"/>.</summary>
    Pcp = 1,

    /// <summary><see cref="MappingProtocol.NatPmp"/>.</summary>
    NatPmp = 2,

    /// <summary><see cref="MappingProtocol.Upnp"/>.</summary>
    Upnp = 4,

    /// <summary>All of them.</summary>
    All = Pcp | NatPmp | Upnp,
}
