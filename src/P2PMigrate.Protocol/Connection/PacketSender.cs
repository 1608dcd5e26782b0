using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Connection;

/// <summary>
/// Decides what the next packet is and builds it: probes first, then CLOSE, then acknowledgements and data on the primary
/// path as far as window and pacer allow. One owner.
/// </summary>
internal sealed class PacketSender(
    TunnelConnectionOptions options, KeyPhases keys, DataPaths paths, ReceiveSpaces spaces, PathAgent agent,
    StreamSender streams, Announcer announcer, CloseSequence close, SentFramePool pool)
{
    // A receiver that only acknowledges asks for an acknowledgement now and then, so that it can forget old ranges.
    // spec: REC-14
    private const int PingEveryAckOnly = 64;
    private const int PingEveryLongAckOnly = 4;

    // Too little room to begin another frame in.
    private const int NearlyFull = 64;

    private readonly byte[] _plaintext = new byte[TunnelConnection.MaxDatagramSize];
    private ulong _nextProbeNumber;
    private int _ackOnlyInARow;

    /// <summary>Datagrams built.</summary>
    public long Datagrams { get; private set; }

    /// <summary>Bytes of these datagrams.</summary>
    public long Bytes { get; private set; }

    /// <summary>When the pacer lets the next packet go, if it is all that holds it back.</summary>
    public Instant? PacingDeadline { get; private set; }

    /// <summary>Can acknowledgements be sent at all?</summary>
    public bool CanAcknowledge => close.IsOpen && paths.Primary is { Recovery.HasRoom: true } path && path.Allows(path.DatagramSize);

    /// <summary>
    /// Builds the next datagram in <paramref name="buffer"/>, and behind it those that may leave in the same train; false
    /// when nothing has to or may go out now.
    /// </summary>
    public bool TryPoll(Instant now, Span<byte> buffer, int maxDatagrams, out Transmit transmit)
    {
        transmit = default;
        if (close.State == CloseState.Terminated)
            return false;
        keys.UpdateIfDue(now);
        if (TryBuildProbe(now, buffer, out transmit))
            return true;
        return close.IsOpen ? TryBuildTrain(now, buffer, maxDatagrams, out transmit) : TryBuildClose(now, buffer, out transmit);
    }

    // What asks whether a silent path lives leaves alone: whether it arrives must not depend on what happens to trains.
    private bool TryBuildTrain(Instant now, Span<byte> buffer, int maxDatagrams, out Transmit transmit)
    {
        transmit = default;
        if (paths.Primary is not { } path)
            return false;
        ulong first = path.Recovery.NextPacketNumber;
        maxDatagrams = path.Recovery.ProbesOwed > 0 ? 1 : path.Recovery.Trains.Limit(now, maxDatagrams);
        if (!TryBuildData(now, buffer, out transmit))
            return false;
        if (maxDatagrams > 1 && transmit.Length == HeadroomOf(path) + path.DatagramSize)
            Extend(now, path, buffer, maxDatagrams, ref transmit);
        path.Recovery.HandleDeparture(first, transmit.Count);
        return true;
    }

    // Only a full datagram can have others behind it: none of those is longer, and the first shorter one ends the train.
    // Whatever there is to say besides stream bytes has its place in the first one, and nothing came in since: what finds no
    // room there is in the first one of the next train.
    private void Extend(Instant now, DataPath path, Span<byte> buffer, int maxDatagrams, ref Transmit train)
    {
        int size = train.Length;
        int limit = (int)Math.Min(buffer.Length, (long)maxDatagrams * size);
        int length = size;
        Pace pace = path.Pace;
        while (limit - length >= size && TryBuildMore(now, buffer[length..], path, pace, out Transmit next))
        {
            length += next.Length;
            if (next.Length < size)
                break;
        }

        train = train with { Length = length };
    }

    private int HeadroomOf(DataPath path) => HeadroomOf(path.Pair.Address);

    private int HeadroomOf(PathAddress path) => path.Kind switch
    {
        PathKind.Relay => options.RelayHeadroom,
        PathKind.Turn => options.TurnHeadroom,
        _ => 0,
    };

    // spec: PATH-10
    private bool TryBuildProbe(Instant now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!agent.TryPollProbe(now, out OutgoingProbe probe))
            return false;
        WireWriter frames = new(_plaintext.AsSpan(0, probe.DatagramSize - PacketHeader.Size - keys.TagLength));
        if (probe.IsResponse)
            new PathResponseFrame(probe.Token, probe.Observed).Write(ref frames);
        else
            new PathChallengeFrame(probe.Token).Write(ref frames);
        frames.WriteZeros(frames.Remaining);
        transmit = Seal(buffer, 0, _nextProbeNumber++, probe.Path, frames.Written) with { HopLimit = probe.HopLimit };
        return true;
    }

    private bool TryBuildClose(Instant now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!close.IsClosePending || paths.Primary is not { } path || !path.Allows(path.DatagramSize))
            return false;
        if (!path.Recovery.HasRoomForProbe)
            path.Recovery.Abandon(); // Nobody waits for these answers any more, and the CLOSE needs a number.
        WireWriter frames = new(_plaintext.AsSpan(0, CloseFrame.MaxLength));
        close.Write(now, ref frames, path.Recovery.ProbeTimeout);
        transmit = Seal(buffer, path.Label, path.Recovery.NextPacketNumber, path.Pair.Address, frames.Written);
        int length = transmit.Length - HeadroomOf(path);
        path.Pair.HandleSent(length);
        path.Recovery.HandleSent(now, length, RecordedFrames.None, isAckEliciting: false);
        return true;
    }

    private bool TryBuildData(Instant now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        PacingDeadline = null;
        if (paths.Primary is not { } path || !path.Allows(path.DatagramSize) || !HasRoom(path.Recovery))
            return false;
        Pace pace = path.Pace;
        bool mayCarryData = MayCarryData(now, path, pace, streams.HasPending || announcer.IsPending);
        if (!mayCarryData && !(spaces.AckDeadline <= now))
            return false;

        PacketWriter packet = NewPacket(path);
        spaces.WriteAcks(now, ref packet);
        if (mayCarryData)
            WriteData(now, ref packet, path);
        else if (++_ackOnlyInARow % (spaces.AreManyRangesKept ? PingEveryLongAckOnly : PingEveryAckOnly) == 0)
            packet.WritePing();
        if (packet.Frames.Written == 0)
            return false;
        transmit = SealData(now, buffer, path, pace, packet);
        return true;
    }

    private bool TryBuildMore(Instant now, Span<byte> buffer, DataPath path, in Pace pace, out Transmit transmit)
    {
        transmit = default;
        if (!path.Allows(path.DatagramSize) || !path.Recovery.HasRoom || !MayCarryData(now, path, pace, streams.HasBytes))
            return false;
        PacketWriter packet = NewPacket(path);
        streams.WriteBytes(now, ref packet);
        if (packet.Frames.Written == 0)
            return false;
        FillUp(ref packet);
        transmit = SealData(now, buffer, path, pace, packet);
        return true;
    }

    private PacketWriter NewPacket(DataPath path) => new(_plaintext.AsSpan(0, path.DatagramSize - PacketHeader.Size - keys.TagLength), pool);

    private static bool HasRoom(LossRecovery recovery) => recovery.ProbesOwed > 0 ? recovery.HasRoomForProbe : recovery.HasRoom;

    private bool MayCarryData(Instant now, DataPath path, in Pace pace, bool isPending)
    {
        if (path.Recovery.ProbesOwed > 0)
            return true;
        if (isPending && !path.IsWindowOpen)
        {
            path.Recovery.MarkWindowLimited();
            return false;
        }

        Instant release = path.Pacer.NextRelease(pace, isPending && streams.HasUrgent);
        if (isPending && release > now)
        {
            PacingDeadline = release;
            path.Pacer.HandleAwaited();
        }
        else if (!isPending && release <= now && path.IsWindowOpen)
            path.Recovery.MarkApplicationLimited();
        return isPending && release <= now;
    }

    // spec: REC-23
    private void WriteData(Instant now, ref PacketWriter packet, DataPath path)
    {
        announcer.Write(ref packet);
        streams.Write(now, path.Recovery.RoundTrip.Smoothed, ref packet);
        if (packet.IsAckEliciting)
            FillUp(ref packet);
        if (path.Recovery.ProbesOwed == 0)
            return;
        if (!packet.IsAckEliciting)
            packet.WritePing();
        packet.Frames.WriteZeros(packet.Room); // Only a full datagram shows that full datagrams still pass.
    }

    // Full datagrams leave in trains; one that is a little shorter would end its train.
    private static void FillUp(ref PacketWriter packet)
    {
        if (packet.Room < NearlyFull)
            packet.Frames.WriteZeros(packet.Room);
    }

    private Transmit SealData(Instant now, Span<byte> buffer, DataPath path, in Pace pace, in PacketWriter packet)
    {
        Transmit transmit = Seal(buffer, path.Label, path.Recovery.NextPacketNumber, path.Pair.Address, packet.Frames.Written);
        int length = transmit.Length - HeadroomOf(path);
        path.Pair.HandleSent(length);
        path.Recovery.HandleSent(now, length, packet.Recorded, packet.IsAckEliciting);
        if (packet.IsAckEliciting)
        {
            _ackOnlyInARow = 0;
            path.Pacer.HandleSent(now, length, pace);
        }

        return transmit;
    }

    // spec: PKT-05
    private Transmit Seal(Span<byte> buffer, byte label, ulong number, PathAddress path, int plaintextLength)
    {
        int length = PacketHeader.Size + plaintextLength + keys.TagLength;
        int headroom = HeadroomOf(path);
        buffer = buffer.Slice(headroom, length);
        Span<byte> header = buffer[..PacketHeader.Size];
        new PacketHeader(keys.Phase, label, (uint)number, options.RemoteConnectionId).Write(header);
        keys.Seal(label, number, header, _plaintext.AsSpan(0, plaintextLength), buffer[PacketHeader.Size..]);
        Datagrams++;
        Bytes += length;
        return new(path, headroom + length);
    }
}
