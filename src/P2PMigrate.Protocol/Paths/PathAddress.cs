using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Paths;

/// <summary>
/// Where a datagram comes from or goes to, as seen from here: one of our local interfaces and the remote address.
/// On a relay the remote address is the relay's.
/// </summary>
public readonly record struct PathAddress(LocalInterface Local, NetworkAddress Remote)
{
    /// <summary>How it begins, as seen from here; whether it leads to a relay of the peer's only its pair knows.</summary>
    public PathKind Kind => Local.Kind;

    /// <inheritdoc/>
    public override string ToString() => $"{Local}>{Remote}";
}

/// <summary>
/// A token for one of the driver's sockets, for the one that a TURN server lends it, or for a relay channel reached through one. The driver chooses the index;
/// the protocol only compares and hands it back.
/// </summary>
public readonly record struct LocalInterface(PathKind Kind, byte Index)
{
    /// <summary>The socket number <paramref name="index"/>.</summary>
    public static LocalInterface Socket(byte index) => new(PathKind.Direct, index);

    /// <summary>The relay channel number <paramref name="index"/>.</summary>
    public static LocalInterface Relay(byte index) => new(PathKind.Relay, index);

    /// <summary>The address number <paramref name="index"/> that a TURN server lends us.</summary>
    public static LocalInterface Turn(byte index) => new(PathKind.Turn, index);

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        PathKind.Direct => $"socket{Index}",
        PathKind.Turn => $"turn{Index}",
        _ => $"relay{Index}",
    };
}

/// <summary>How datagrams of a path travel; declared best first.</summary>
public enum PathKind : byte
{
    /// <summary>Between the peers' own sockets.</summary>
    Direct = 0,

    /// <summary>Through a TURN server, this side's or the peer's.</summary>
    // spec: TURN-07
    Turn = 1,

    /// <summary>Through the relay of a rendezvous server, which sees ciphertext only.</summary>
    Relay = 2,
}
