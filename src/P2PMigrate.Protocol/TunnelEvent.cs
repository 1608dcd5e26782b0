using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol;

/// <summary>
/// Something that the owner of a <see cref="TunnelConnection"/> wants to know. Match on the type. Events are immutable;
/// the stream events of one stream may be the same object each time.
/// </summary>
public abstract record TunnelEvent
{
    private protected TunnelEvent()
    {
    }
}

/// <summary>The peer opened a stream. Comes before every other event of the stream.</summary>
public sealed record StreamOpened(StreamId Stream) : TunnelEvent;

/// <summary>
/// There is something to read: bytes, or the end of the stream. Read until nothing comes; the event comes again only
/// after more has arrived.
/// </summary>
public sealed record StreamReadable(StreamId Stream) : TunnelEvent;

/// <summary>A write that was cut short can go on, or some of what was lent is its owner's again.</summary>
public sealed record StreamWritable(StreamId Stream) : TunnelEvent;

/// <summary>The peer gave up its direction; the next read says so too.</summary>
public sealed record StreamReset(StreamId Stream, ulong Code) : TunnelEvent;

/// <summary>The peer does not want the rest of our direction, which is reset with the same code.</summary>
public sealed record StreamStopped(StreamId Stream, ulong Code) : TunnelEvent;

/// <summary>An attempt to open a stream of this class failed before and would succeed now.</summary>
public sealed record StreamsAvailable(StreamClass Class) : TunnelEvent;

/// <summary>
/// Application datagrams arrived. Take them until none comes; the event comes again only after more have arrived.
/// </summary>
public sealed record DatagramsAvailable : TunnelEvent;

/// <summary>Data takes another path from now on.</summary>
public sealed record PrimaryPathChanged(PathStatus Path) : TunnelEvent;

/// <summary>The primary path does not answer, and the standby paths are asked: others who know the way may know more.</summary>
public sealed record PathsSilent : TunnelEvent;

/// <summary>The peer sees our packets from <paramref name="Local"/> coming from this address.</summary>
public sealed record AddressObserved(LocalInterface Local, NetworkAddress Address) : TunnelEvent;

/// <summary>
/// Of the sockets beyond number 0, which the connection takes into use by sending from them, all but <paramref name="Kept"/> may
/// be closed. A number that was released means a new socket when it is used again.
/// </summary>
public sealed record SocketsReleased(IReadOnlyList<LocalInterface> Kept) : TunnelEvent;

/// <summary>
/// The sockets that there are have found no direct path where one should be. The owner opens <paramref name="Socket"/>, asks a rendezvous server from
/// there how it is seen, and says so to <see cref="TunnelConnection.AddFreshSocket"/>.
/// </summary>
// spec: PATH-82
public sealed record FreshSocketWanted(LocalInterface Socket) : TunnelEvent;

/// <summary>The session is over: the last event. <see cref="TunnelConnection.IsTerminated"/> says when it may be dropped.</summary>
public sealed record ConnectionClosed(CloseReason Reason) : TunnelEvent;
