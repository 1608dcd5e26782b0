using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Paths;

/// <summary>
/// Where a datagram comes from or goes to, as seen from here: one of our local interfaces and the remote address.
/// On a relay the remote address is the relay's.
/// </summary>
public readonly record struct PathAddress(LocalInterface Local, NetworkAddress Remote)
{
    /// <summary>Direct, or through a relay.</summary>
    public PathKind Kind => Local.Kind;

    /// <inheritdoc/>
    public override string ToString() => $"{Local}>{Remote}";
}

/// <summary>
/// A token for one of the driver's sockets, or for a relay channel reached through one. The driver chooses the index;
/// the protocol only compares and hands it back.
/// </summary>
public readonly record struct LocalInterface(PathKind Kind, byte Index)
{
    /// <summary>The socket number <paramref name="index"/>.</summary>
    public static LocalInterface Socket(byte index) => new(PathKind.Direct, index);

    /// <summary>The relay channel number <paramref name="index"/>.</summary>
    public static LocalInterface Relay(byte index) => new(PathKind.Relay, index);

    /// <inheritdoc/>
    public override string ToString() => Kind == PathKind.Direct ? $"socket{Index}" : $"relay{Index}";
}

/// <summary>How datagrams of a path travel; declared best first.</summary>
public enum PathKind : byte
{
    /// <summary>Between the peers' own sockets.</summary>
    Direct = 0,

    /// <summary>Through a relay, which sees ciphertext only.</summary>
    Relay = 1,
}
