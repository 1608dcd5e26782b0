using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Connection;

/// <summary>Tells the peer candidates that became known after the handshake, all of them again if a packet is lost. One owner.</summary>
internal sealed class CandidateAnnouncer
{
    private readonly List<Candidate> _candidates = [];

    /// <summary>Is there something the peer may not know?</summary>
    public bool IsPending { get; private set; }

    /// <summary>Adds a candidate; when there are too many, the oldest is forgotten.</summary>
    // spec: PATH-09
    public void Add(Candidate candidate)
    {
        if (_candidates.Contains(candidate))
            return;
        if (_candidates.Count == Candidate.MaxCount)
            _candidates.RemoveAt(0);
        _candidates.Add(candidate);
        IsPending = true;
    }

    /// <summary>Writes the candidates if they are pending and fit.</summary>
    public void Write(ref PacketWriter packet)
    {
        if (!IsPending || packet.Room < CandidatesFrame.MaxLength)
            return;
        CandidatesFrame.Write(ref packet.Frames, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_candidates));
        packet.Record(new(SentFrameKind.Candidates, 0));
        IsPending = false;
    }

    /// <summary>The packet with the candidates was lost.</summary>
    public void HandleLost() => IsPending = true;
}
