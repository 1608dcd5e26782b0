using System.Runtime.InteropServices;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Connection;

/// <summary>
/// Tells the peer what became known of this side after the handshake: candidates, all of them again if a packet is lost, and
/// what is before it for NATs. One owner.
/// </summary>
internal sealed class Announcer(TunnelConnectionOptions options)
{
    private readonly List<Candidate> _candidates = [];
    private NatProfile _nat = options.LocalNat;
    private bool _areCandidatesPending;
    private bool _isNatPending;

    /// <summary>Is there something the peer may not know?</summary>
    public bool IsPending => _areCandidatesPending || _isNatPending;

    /// <summary>Adds a candidate; when there are too many, the oldest is forgotten.</summary>
    // spec: PATH-09
    public void Add(Candidate candidate)
    {
        if (_candidates.Contains(candidate))
            return;
        if (_candidates.Count == Candidate.MaxCount)
            _candidates.RemoveAt(0);
        _candidates.Add(candidate);
        _areCandidatesPending = true;
    }

    /// <summary>More, or something else, is known of our NATs. A peer that said nothing of its own would not understand.</summary>
    // spec: PATH-61
    public void Set(NatProfile nat)
    {
        _isNatPending |= nat != _nat && options.RemoteNat is not null;
        _nat = nat;
    }

    /// <summary>Writes what is pending and fits.</summary>
    public void Write(ref PacketWriter packet)
    {
        if (_areCandidatesPending && packet.Room >= CandidatesFrame.MaxLength)
        {
            CandidatesFrame.Write(ref packet.Frames, CollectionsMarshal.AsSpan(_candidates));
            packet.Record(new(SentFrameKind.Candidates, 0));
            _areCandidatesPending = false;
        }

        if (_isNatPending && packet.Room >= NatFrame.MaxLength)
        {
            new NatFrame(_nat).Write(ref packet.Frames);
            packet.Record(new(SentFrameKind.Nat, 0));
            _isNatPending = false;
        }
    }

    /// <summary>A packet with candidates was lost.</summary>
    public void HandleCandidatesLost() => _areCandidatesPending = true;

    /// <summary>A packet with our NATs was lost.</summary>
    public void HandleNatLost() => _isNatPending = true;
}
