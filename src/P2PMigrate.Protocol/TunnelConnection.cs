#pragma warning disable CA1822 // The first delivery states the surface; the behaviour follows.
using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol;

/// <summary>
/// One session with a peer after its handshake, as a plain object: streams, loss recovery, paths and the end. It owns no
/// socket, reads no clock, starts no task; one loop owns it, and no method may be called while another runs.
/// </summary>
/// <remarks>
/// Its methods are of four kinds. <c>Handle…</c>: what happens to it. <c>Open</c>, <c>Write</c>, <c>Read</c>,
/// <c>Finish</c>, <c>Close</c> …: what the application wants. <c>TryPoll…</c> and <see cref="NextTimeout"/>: what it wants
/// done. The rest are getters. After any number of inputs the owner drains: <see cref="TryPollTransmit"/> until it returns
/// false, <see cref="TryPollEvent"/> until it returns false, then sleeps until <see cref="NextTimeout"/> at most and calls
/// <see cref="HandleTimeout"/>. <c>now</c> never runs backwards. Peer bytes never make a method throw; a wish that makes no
/// sense (an unknown stream) does.
/// </remarks>
public sealed class TunnelConnection : IDisposable
{
    /// <summary>Starts a session; owns the keys in <paramref name="options"/>.</summary>
    public TunnelConnection(TunnelConnectionOptions options, Instant now) => throw new NotSupportedException();

    /// <summary>Which side of the handshake this is.</summary>
    public ConnectionRole Role { get; }

    /// <summary>The path that carries data, or null before one is usable.</summary>
    public PathStatus? PrimaryPath { get; }

    /// <summary>Why the session is over, once it is.</summary>
    public CloseReason? CloseReason { get; }

    /// <summary>True when nothing is left to send or answer: the owner may drop the object.</summary>
    public bool IsTerminated { get; }

    /// <summary>Counters since the start.</summary>
    public TunnelStatistics Statistics => default;

    /// <summary>
    /// A datagram of the type <see cref="Wire.DatagramType.Packet"/> came on <paramref name="path"/>. What does not open
    /// with the session's keys is dropped and counted.
    /// </summary>
    public void HandleDatagram(Instant now, PathAddress path, ReadOnlySpan<byte> datagram)
    {
    }

    /// <summary>The time is <paramref name="now"/>; does what is due. Harmless when nothing is.</summary>
    public void HandleTimeout(Instant now)
    {
    }

    /// <summary>
    /// Opens a stream. False when the peer's limit on streams of the class is reached; a <see cref="StreamsAvailable"/>
    /// event tells when it is worth trying again.
    /// </summary>
    public bool TryOpenStream(StreamClass streamClass, out StreamId stream) => throw new NotSupportedException();

    /// <summary>Takes bytes to send; copies as many as there is room for.</summary>
    public StreamWriteResult Write(StreamId stream, ReadOnlySpan<byte> data) => throw new NotSupportedException();

    /// <summary>Copies the next bytes of the peer's direction; gives the peer new credit for them.</summary>
    public StreamReadResult Read(StreamId stream, Span<byte> destination) => throw new NotSupportedException();

    /// <summary>Ends our direction after everything written so far.</summary>
    public void Finish(StreamId stream)
    {
    }

    /// <summary>Gives our direction up: bytes not delivered yet never will be.</summary>
    public void Reset(StreamId stream, ulong code)
    {
    }

    /// <summary>Tells the peer that the rest of its direction is not wanted; it is dropped when it comes.</summary>
    public void StopSending(StreamId stream, ulong code)
    {
    }

    /// <summary>
    /// Ends the session with a code of 13-errors or of the application. With <paramref name="flush"/>, first delivers what
    /// was written to streams, as long as that makes progress. The first call counts; later ones may only turn off the flush.
    /// </summary>
    public void Close(Instant now, ulong code, string reason, bool flush)
    {
    }

    /// <summary>Another candidate of the peer became known outside of the session (for example from the rendezvous).</summary>
    public void AddRemoteCandidate(Instant now, Candidate candidate)
    {
    }

    /// <summary>One of our own candidates became known; the peer is told.</summary>
    public void AddLocalCandidate(Candidate candidate)
    {
    }

    /// <summary>A path that may carry data from now on, for example a relay channel that was opened late.</summary>
    public void AddKnownPath(Instant now, KnownPath path)
    {
    }

    /// <summary>The machine's network changed (address, route): probes everything again at once.</summary>
    public void HandleNetworkChange(Instant now, IReadOnlyList<LocalSocket> sockets)
    {
    }

    /// <summary>
    /// Writes the next datagram to send into <paramref name="buffer"/>, which has room for
    /// <see cref="MaxDatagramSize"/>. False when there is nothing to send before the next input or timeout.
    /// </summary>
    public bool TryPollTransmit(Instant now, Span<byte> buffer, out Transmit transmit) => throw new NotSupportedException();

    /// <summary>The bytes that a buffer for <see cref="TryPollTransmit"/> has at least.</summary>
    public const int MaxDatagramSize = 1500;

    /// <summary>When <see cref="HandleTimeout"/> is due, or null when nothing is planned.</summary>
    public Instant? NextTimeout => null;

    /// <summary>Takes the oldest event that was not taken yet.</summary>
    public bool TryPollEvent([NotNullWhen(true)] out TunnelEvent? tunnelEvent) => throw new NotSupportedException();

    /// <summary>Drops keys and buffers without a word to the peer.</summary>
    public void Dispose()
    {
    }
}
