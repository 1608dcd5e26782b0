using P2PMigrate.Protocol.Nat;

namespace P2PMigrate.Protocol.Paths;

/// <content>What is known of the NATs between the two peers.</content>
internal sealed partial class PathAgent
{
    /// <summary>The NATs before us, as far as servers have shown.</summary>
    public NatProfile LocalNat
    {
        get => _puncher.Local;
        set => _puncher.Local = value;
    }

    /// <summary>The NATs before the peer, by its word.</summary>
    // spec: PATH-61
    public NatProfile RemoteNat
    {
        get => _puncher.Remote;
        set => _puncher.Remote = value;
    }
}
