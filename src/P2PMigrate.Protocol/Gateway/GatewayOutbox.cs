using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>Which socket of the driver a datagram comes from or goes to.</summary>
public enum GatewayChannel
{
    /// <summary>Talks with the gateway's port 5351: PCP and NAT-PMP.</summary>
    Control,

    /// <summary>Sends UPnP searches and gets the answers.</summary>
    Search,

    /// <summary>Bound to port 5350, where gateways announce that they have begun anew. Only receives.</summary>
    Announcements,
}

/// <summary>A datagram to be sent.</summary>
public readonly record struct GatewayTransmit(GatewayChannel Channel, NetworkAddress Destination, ReadOnlyMemory<byte> Datagram);

/// <summary>
/// An HTTP exchange to be made: connect to <paramref name="Server"/> by TCP, send <paramref name="Request"/>, and hand what
/// comes back to <see cref="GatewayMapper.HandleReply"/> with <paramref name="Id"/>.
/// </summary>
public sealed record GatewayExchange(int Id, NetworkAddress Server, ReadOnlyMemory<byte> Request);

/// <summary>Something that the driver learns.</summary>
public abstract record GatewayEvent;

/// <summary>There is a mapping, another one than before, or none any more.</summary>
public sealed record MappingChanged(PortMapping? Mapping) : GatewayEvent;

/// <summary>One way to a mapping did not work, in a sentence for a person.</summary>
public sealed record MappingRefused(MappingProtocol Protocol, string Sentence) : GatewayEvent;

/// <summary>What the parts of a mapper have ready for the driver. One owner.</summary>
internal sealed class GatewayOutbox
{
    /// <summary>Of each kind at most; a driver that drains never sees the limit.</summary>
    public const int Capacity = 64;

    private readonly Queue<GatewayTransmit> _transmits = [];
    private readonly Queue<GatewayExchange> _exchanges = [];
    private readonly Queue<GatewayEvent> _events = [];
    private int _lastExchange;

    /// <summary>Queues a datagram.</summary>
    public void Send(GatewayChannel channel, NetworkAddress destination, byte[] datagram)
    {
        if (_transmits.Count < Capacity)
            _transmits.Enqueue(new GatewayTransmit(channel, destination, datagram));
    }

    /// <summary>Queues an exchange and returns its name.</summary>
    public int Exchange(NetworkAddress server, byte[] request)
    {
        if (_exchanges.Count < Capacity)
            _exchanges.Enqueue(new GatewayExchange(++_lastExchange, server, request));
        return _lastExchange;
    }

    /// <summary>Queues an event.</summary>
    public void Raise(GatewayEvent news)
    {
        if (_events.Count < Capacity)
            _events.Enqueue(news);
    }

    /// <summary>The next datagram.</summary>
    public bool TryTake(out GatewayTransmit transmit) => _transmits.TryDequeue(out transmit);

    /// <summary>The next exchange.</summary>
    public GatewayExchange? TakeExchange() => _exchanges.TryDequeue(out GatewayExchange? next) ? next : null;

    /// <summary>The next event.</summary>
    public GatewayEvent? TakeEvent() => _events.TryDequeue(out GatewayEvent? next) ? next : null;
}
