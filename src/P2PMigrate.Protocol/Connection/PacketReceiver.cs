using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Connection;

/// <summary>
/// From a datagram to handled frames: header, replay check, opening, then the frames. What does not pass is counted and
/// otherwise ignored. One owner.
/// </summary>
internal sealed class PacketReceiver(TunnelConnectionOptions options, KeyPhases keys, ReceiveSpaces spaces, DataPaths paths, PathAgent agent, FrameDispatcher frames, CloseSequence close)
{
    private readonly byte[] _plaintext = new byte[TunnelConnection.MaxDatagramSize];
    private readonly TimeSpan _maxAckDelay = options.LocalParameters.MaxAckDelay;

    // The train that is being handled: when and where it came, what of it was authentic, and was any of that the newest data?
    private Instant _now;
    private PathAddress _from;
    private int _authentic;
    private bool _isNewestData;

    /// <summary>Datagrams that opened and were new.</summary>
    public long Datagrams { get; private set; }

    /// <summary>Bytes of these datagrams.</summary>
    public long Bytes { get; private set; }

    /// <summary>Datagrams that were ignored.</summary>
    public long Dropped { get; private set; }

    /// <summary>Whether data that came steadily has stopped.</summary>
    public ArrivalWatch Arrivals { get; } = new();

    /// <summary>When an authentic packet last came.</summary>
    public Instant? LastHeardAt { get; private set; }

    /// <summary>Datagrams come together, from one place.</summary>
    public void BeginTrain(Instant now, PathAddress from) => (_now, _from, _authentic, _isNewestData) = (now, from, 0, false);

    /// <summary>Handles the next datagram of the train; returns the error code with which the session has to be closed, if any.</summary>
    // spec: PKT-01, PKT-02, PKT-03
    public ulong Handle(ReadOnlySpan<byte> datagram)
    {
        if (!TryOpen(datagram, out PacketHeader header, out ulong number, out ReadOnlySpan<byte> plaintext)
            || !spaces.Get(header.PathId).TryAccept(_now, number, out bool isInOrder))
        {
            Dropped++;
            return TunnelErrorCode.None;
        }

        ReceiveSpace space = spaces.Get(header.PathId);
        Datagrams++;
        Bytes += datagram.Length;
        LastHeardAt = _now;
        _authentic += datagram.Length;
        _isNewestData |= header.PathId != 0 && (long)number == space.Largest;
        if (header.PathId == 0)
            TellAgent(); // A probe is about the pair that it came on, which has to be known.
        if (!close.IsOpen)
            return HandleAfterClose(header.PathId, number, plaintext);

        ulong error = frames.Handle(_now, _from, header.PathId, number, plaintext);
        if (frames.IsAckEliciting)
        {
            space.HandleAckEliciting(_now, isInOrder, _maxAckDelay, paths.Primary?.Recovery.RoundTrip);
            Arrivals.HandleReceived(_now);
        }

        return error;
    }

    /// <summary>The train is over.</summary>
    public void EndTrain() => TellAgent();

    private void TellAgent()
    {
        if (_authentic > 0)
            agent.HandleDatagrams(_now, _from, _authentic, _isNewestData);
        (_authentic, _isNewestData) = (0, false);
    }

    private bool TryOpen(ReadOnlySpan<byte> datagram, out PacketHeader header, out ulong number, out ReadOnlySpan<byte> plaintext)
    {
        number = 0;
        plaintext = default;
        int length = datagram.Length - PacketHeader.Size - keys.TagLength;
        if (length < 0 || datagram.Length > TunnelConnection.MaxDatagramSize)
        {
            header = default;
            return false;
        }

        if (!PacketHeader.TryParse(datagram, out header, out _)
            || header.Destination != options.LocalConnectionId || header.PathId >= DataPaths.MaxLabels)
            return false;
        ReceiveSpace? space = spaces.Find(header.PathId);
        number = PacketHeader.ExpandPacketNumber(header.PacketNumberLow, space?.Largest ?? -1);
        if (space?.Replay.IsNew(number) == false)
            return false;
        Span<byte> opened = _plaintext.AsSpan(0, length);
        plaintext = opened;
        return keys.TryOpen(_now, header, number, datagram[..PacketHeader.Size], datagram[PacketHeader.Size..], opened);
    }

    // CLOSE stands alone in its packet, so the rest need not be understood any more.
    private ulong HandleAfterClose(byte label, ulong number, ReadOnlySpan<byte> plaintext)
    {
        if (!plaintext.IsEmpty && plaintext[0] == (byte)FrameType.Close)
            return frames.Handle(_now, _from, label, number, plaintext);
        close.HandleStrayPacket();
        return TunnelErrorCode.None;
    }
}
