using P2PMigrate.Protocol.Datagrams;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Connection;

/// <summary>
/// Reads the frames of one packet after the other and hands each to the part that understands it. The first thing wrong
/// ends the session. One owner.
/// </summary>
internal sealed class FrameDispatcher(StreamReceiver streams, DatagramExchange datagrams, DataPaths paths, PathAgent agent, CloseSequence close)
{
    /// <summary>The packet being read: when and where it came, and which one it is.</summary>
    private Instant _now;
    private PathAddress _from;
    private (byte Label, ulong Number) _packet;

    // The packet with the newest word on the peer's NATs.
    private (byte Label, ulong Number) _natPacket;

    // The labels below 32 that the packet acknowledges packets of, one bit each.
    private uint _acknowledged;

    /// <summary>Did the last packet ask for an acknowledgement?</summary>
    public bool IsAckEliciting { get; private set; }

    /// <summary>Handles all frames of a packet; returns the error code with which the session has to be closed, if any.</summary>
    // spec: PKT-10, PKT-11, PKT-12
    public ulong Handle(Instant now, PathAddress from, byte label, ulong number, ReadOnlySpan<byte> plaintext)
    {
        (_now, _from, _packet, _acknowledged) = (now, from, (label, number), 0);
        IsAckEliciting = false;
        WireReader reader = new(plaintext);
        ulong error = plaintext.IsEmpty ? TunnelErrorCode.FrameEncoding : TunnelErrorCode.None;
        while (error == TunnelErrorCode.None && reader.TryReadByte(out byte type))
        {
            FrameType frameType = (FrameType)type;
            bool isProbe = frameType is FrameType.PathChallenge or FrameType.PathResponse;
            if (frameType == FrameType.Padding)
                reader.SkipAll((byte)FrameType.Padding);
            else if (isProbe != (label == 0))
                error = TunnelErrorCode.ProtocolViolation;
            else
                error = isProbe ? HandleProbe(frameType, ref reader) : HandleFrame(frameType, ref reader);
        }

        return error;
    }

    private ulong HandleProbe(FrameType type, ref WireReader reader)
    {
        if (type == FrameType.PathChallenge && PathChallengeFrame.TryParse(ref reader, out PathChallengeFrame challenge))
            agent.HandleChallenge(_now, _from, challenge);
        else if (type == FrameType.PathResponse && PathResponseFrame.TryParse(ref reader, out PathResponseFrame response))
            agent.HandleResponse(_now, _from, response);
        else
            return TunnelErrorCode.FrameEncoding;
        return TunnelErrorCode.None;
    }

    private ulong HandleFrame(FrameType type, ref WireReader reader)
    {
        IsAckEliciting |= type is not (FrameType.Ack or FrameType.Close);
        switch (type)
        {
            case FrameType.Ping:
                return TunnelErrorCode.None;
            case FrameType.Ack when AckFrame.TryParse(ref reader, out AckFrame ack):
                return HandleAck(ack);
            case FrameType.Stream or FrameType.StreamFin when StreamFrame.TryParse(ref reader, type == FrameType.StreamFin, out StreamFrame data):
                return streams.Handle(data);
            case FrameType.Datagram when DatagramFrame.TryParse(ref reader, out DatagramFrame datagram):
                datagrams.Handle(_now, datagram);
                return TunnelErrorCode.None;
            case FrameType.Close when CloseFrame.TryParse(ref reader, out CloseFrame closeFrame):
                close.HandlePeerClose(_now, closeFrame, paths.Primary?.Recovery.ProbeTimeout ?? TimeSpan.Zero);
                return TunnelErrorCode.None;
            case FrameType.Candidates when CandidatesFrame.TryParse(ref reader, out CandidatesFrame candidates):
                return HandleCandidates(candidates);
            case FrameType.Nat when NatFrame.TryParse(ref reader, out NatFrame nat):
                return HandleNat(nat);
            default:
                return HandleStreamControl(type, ref reader);
        }
    }

    private ulong HandleStreamControl(FrameType type, ref WireReader reader)
    {
        switch (type)
        {
            case FrameType.ResetStream when ResetStreamFrame.TryParse(ref reader, out ResetStreamFrame reset):
                return streams.Handle(reset);
            case FrameType.StopSending when StopSendingFrame.TryParse(ref reader, out StopSendingFrame stop):
                return streams.Handle(stop);
            case FrameType.MaxStreamData when MaxStreamDataFrame.TryParse(ref reader, out MaxStreamDataFrame streamCredit):
                return streams.Handle(streamCredit);
            case FrameType.MaxData when MaxDataFrame.TryParse(ref reader, out MaxDataFrame classCredit):
                streams.Handle(classCredit);
                return TunnelErrorCode.None;
            case FrameType.MaxStreams when MaxStreamsFrame.TryParse(ref reader, out MaxStreamsFrame limit):
                streams.Handle(limit);
                return TunnelErrorCode.None;
            default:
                return TunnelErrorCode.FrameEncoding;
        }
    }

    // spec: PKT-15
    private ulong HandleAck(in AckFrame ack)
    {
        if (paths.Find(ack.Label) is not { } path)
            return TunnelErrorCode.AckOfUnsent;
        if ((_acknowledged & 1u << ack.Label) != 0)
            return TunnelErrorCode.ProtocolViolation;
        _acknowledged |= 1u << ack.Label;
        long fullBefore = path.Recovery.Sizes.FullAcked;
        if (!path.Recovery.TryHandleAck(_now, ack, out bool isProgress))
            return TunnelErrorCode.AckOfUnsent;
        if (isProgress)
            close.HandleProgress(_now, path.Recovery.ProbeTimeout);
        if (isProgress && path == paths.Primary)
            agent.HandlePrimaryAlive(_now, isFullDelivered: path.Recovery.Sizes.FullAcked > fullBefore);
        return TunnelErrorCode.None;
    }

    // What was said before, but arrives later, is old. The numbers of two labels say nothing of each other.
    // spec: PATH-61
    private ulong HandleNat(in NatFrame frame)
    {
        if (_packet.Label == _natPacket.Label && _packet.Number < _natPacket.Number)
            return TunnelErrorCode.None;
        _natPacket = _packet;
        agent.RemoteNat = frame.Profile;
        return TunnelErrorCode.None;
    }

    private ulong HandleCandidates(in CandidatesFrame frame)
    {
        Span<Candidate> candidates = stackalloc Candidate[Candidate.MaxCount];
        foreach (Candidate candidate in candidates[..frame.CopyTo(candidates)])
            agent.AddRemoteCandidate(_now, candidate);
        return TunnelErrorCode.None;
    }
}
