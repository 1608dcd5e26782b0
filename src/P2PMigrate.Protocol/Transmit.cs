using P2PMigrate.Protocol.Paths;

namespace P2PMigrate.Protocol;

/// <summary>
/// What to send now on <paramref name="Path"/>: a <em>train</em> of datagrams that lie one behind the other in the first
/// <paramref name="Length"/> bytes of the polled buffer, each <paramref name="DatagramSize"/> long, the last one perhaps
/// shorter. Mostly a train of one.
/// </summary>
/// <remarks>
/// On a relay path both sizes include <see cref="TunnelConnectionOptions.RelayHeadroom"/> bytes in front of each
/// datagram, which the owner fills, and on one from a TURN server's address <see cref="TunnelConnectionOptions.TurnHeadroom"/>.
/// </remarks>
public readonly record struct Transmit(PathAddress Path, int Length, int DatagramSize)
{
    /// <summary>A single datagram.</summary>
    public Transmit(PathAddress path, int length)
        : this(path, length, length)
    {
    }

    /// <summary>Routers that it may pass (time to live, hop limit); 0 is as many as usual. Never set for more than one datagram.</summary>
    // spec: PATH-78
    public byte HopLimit { get; init; }

    /// <summary>Datagrams in the train.</summary>
    public int Count => (Length + DatagramSize - 1) / DatagramSize;
}
