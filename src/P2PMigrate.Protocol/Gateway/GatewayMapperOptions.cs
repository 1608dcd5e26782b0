using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>What a <see cref="GatewayMapper"/> is made of.</summary>
public sealed record GatewayMapperOptions
{
    /// <summary>This peer as the gateway sees it: the address towards it, and the port that is to be mapped.</summary>
    public required NetworkAddress Internal { get; init; }

    /// <summary>The gateway on the same network; its port does not matter.</summary>
    public required NetworkAddress Gateway { get; init; }

    /// <summary>What may be spoken. IPv6 gateways are asked by PCP only.</summary>
    public MappingProtocols Protocols { get; init; } = MappingProtocols.All;

    /// <summary>How long a mapping is asked for; also how long one stays when this program dies without releasing it.</summary>
    // spec: PATH-54, CONST-200
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How often a gateway is asked whether it still remembers.</summary>
    // spec: CONST-201
    public TimeSpan CheckInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>What the gateway's list of mappings shows, where it shows words: letters, digits, spaces.</summary>
    public string Description { get; init; } = "p2pmigrate";
}
