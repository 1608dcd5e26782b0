using P2PMigrate.Protocol.Nat;

namespace P2PMigrate.Protocol.Paths;

/// <content>What is known of the NATs between the two peers.</content>
internal sealed partial class PathAgent
{
    /// <summary>The NATs before us, as far as servers have shown.</summary>
    public NatProfile LocalNat { get; set; } = options.LocalNat;

    /// <summary>The NATs before the peer, by its word.</summary>
    // spec: PATH-61
    public NatProfile RemoteNat { get; set; } = options.RemoteNat ?? default;
}
