using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Rendezvous.Fleet;
using P2PMigrate.Tunnel.Loop;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Rendezvous;

/// <summary>
/// The server's core behind its socket: what comes goes to the core, what the core answers waits in a ring for
/// the socket, what it relays in fair queues. Loop only, except <see cref="Statistics"/>.
/// </summary>
internal sealed class RendezvousServerDriver(RendezvousServerCore core, ServerMirrors mirrors, FleetLink? fleet, Action<Exception?> stopped)
    : IDatagramOwner
{
    /// <summary>Messages that wait to be sent; when the socket falls behind, further ones are dropped, as a router would.</summary>
    // spec: CONST-61
    public const int MaxWaiting = 1024;

    /// <summary>What one train may add: the kernel joins as many datagrams as one may have, and few of them have two answers.</summary>
    private const int RoomForTrain = 2 * TransmitBatch.MaxTrainDatagrams;

    private readonly FairQueue _frames = new();
    private readonly DatagramRing _waiting = new(MaxWaiting);
    private readonly byte[] _aside = new byte[RendezvousServerCore.MaxDatagramSize];
    private readonly byte[] _overflow = new byte[RendezvousServerCore.MaxDatagramSize];
    private long _dropped;
    private readonly Lock _statisticsLock = new();
    private RendezvousServerStatistics _statistics;

    /// <summary>What the server holds and did, as of the last turn of the loop. Any thread.</summary>
    public RendezvousServerStatistics Statistics
    {
        get
        {
            lock (_statisticsLock)
                return _statistics;
        }
    }

    /// <inheritdoc/>
    public Instant NextTimeout => core.NextTimeout;

    /// <inheritdoc/>
    public bool HasRoom => _waiting.FreeSlots >= RoomForTrain && _frames.HasRoom(TransmitBatch.MaxTrainDatagrams);

    /// <inheritdoc/>
    public void HandleTrain(Instant now, DatagramTrain train)
    {
        foreach (ReadOnlySpan<byte> datagram in train)
            HandleDatagram(now, train.Remote, datagram);
    }

    /// <inheritdoc/>
    public void HandleTimeout(Instant now)
    {
        core.HandleTimeout(now);
        Drain();
    }

    /// <summary>Another server of the fleet says something.</summary>
    public void HandleFleetMessage(Instant now, ReadOnlySpan<byte> message)
    {
        core.HandleFleetMessage(now, message);
        Drain();
    }

    /// <summary>The directory of the fleet took an offer, or did not.</summary>
    public void HandleFleetOutcome(Instant now, OfferId token, FleetOutcome outcome)
    {
        core.HandleFleetOutcome(now, token, outcome);
        Drain();
    }

    /// <summary>The directory of the fleet is back.</summary>
    public void HandleFleetRestored(Instant now) => core.HandleFleetRestored(now);

    /// <inheritdoc/>
    public void DeliverEvents(Instant now)
    {
        RendezvousServerStatistics counted = core.Statistics;
        lock (_statisticsLock)
            _statistics = counted with { FramesDropped = counted.FramesDropped + _dropped };
    }

    /// <inheritdoc/>
    public void FillTransmits(Instant now, TransmitBatch batch)
    {
        _waiting.MoveTo(batch);
        _frames.MoveTo(batch);
    }

    /// <inheritdoc/>
    public void HandleTooLong(Instant now, NetworkAddress remote, int size)
    {
        // A frame that does not fit its second link is lost; the peers' own probes find that out.
    }

    /// <inheritdoc/>
    public void HandleStopped(Exception? error)
    {
        core.Dispose();
        stopped(error);
    }

    private void HandleDatagram(Instant now, NetworkAddress remote, ReadOnlySpan<byte> datagram)
    {
        switch (FirstByte.Classify(datagram))
        {
            case DatagramType.RelayFrame:
                Relay(now, remote, datagram);
                break;
            case DatagramType.Rendezvous:
                core.Handle(now, remote, datagram);
                break;
        }

        Drain();
    }

    private void Relay(Instant now, NetworkAddress remote, ReadOnlySpan<byte> frame)
    {
        if (_frames.Free.Length < frame.Length)
        {
            _dropped++;
            return;
        }

        Span<byte> slot = _frames.Free[..frame.Length];
        frame.CopyTo(slot);
        if (core.TryRelay(now, remote, slot, out NetworkAddress destination, out _)
            && RelayFrame.TryParse(slot, out RelayLegId leg, out _, out _) && !_frames.TryAdd(leg, frame.Length, destination))
            _dropped++;
    }

    // The core wants to be drained after every input, also when there is no room for what it says.
    private void Drain()
    {
        while (core.TryPollTransmit(_waiting.IsFull ? _overflow : _waiting.Free, out NetworkAddress destination, out int length))
        {
            if (_waiting.IsFull)
                _dropped++;
            else
                _waiting.Add(length, destination);
        }

        while (core.TryPollAside(_aside, out ServerSocket from, out NetworkAddress destination, out int length))
            mirrors.Send(from, destination, _aside.AsSpan(0, length));
        while (core.TryPollFleet(out FleetRequest? request))
            fleet?.Ask(request);
    }
}
