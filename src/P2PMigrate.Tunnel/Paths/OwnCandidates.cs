using System.ComponentModel;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel.Sockets;

namespace P2PMigrate.Tunnel.Paths;

/// <summary>
/// Where this endpoint may be reached, as it tells its peers: its own addresses, those that its gateways mapped to it,
/// the one that a rendezvous server saw, and the one that a TURN server lends it; the last alone when direct paths are not
/// allowed. Loop only.
/// </summary>
internal sealed class OwnCandidates(
    IDatagramSocket socket, bool allowDirectPaths, Func<IDatagramSocket, bool, IReadOnlyList<Candidate>>? gather = null)
{
    /// <summary>How long the list of interfaces is taken as it was when nobody tells of changes: asking the system costs, and strangers can make us ask.</summary>
    // spec: CONST-60
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(2);

    private IReadOnlyList<Candidate> _public = [];
    private IReadOnlyList<Candidate> _local = [];
    private readonly Func<IDatagramSocket, bool, IReadOnlyList<Candidate>> _gather = gather ?? HostCandidates.Gather;
    private Instant? _gatheredAt;
    private NatProfile _nat;

    /// <summary>The NATs before this endpoint, as peers are told; null when they are told nothing. Set to what is known.</summary>
    // spec: PATH-61
    public NatProfile? Nat
    {
        get => allowDirectPaths ? _nat : null;
        set => _nat = value ?? default;
    }

    /// <summary>Is every change of the machine's network told (<see cref="LookAgain"/>), so that the list does not age?</summary>
    public bool IsWatched { get; set; }

    /// <summary>The address that a rendezvous server saw last.</summary>
    public Candidate? Reflexive { get; set; }

    /// <summary>The address that a TURN server lends this endpoint now. Told even when direct paths are not allowed: it is none of this machine.</summary>
    // spec: TURN-01
    public Candidate? Relayed { get; set; }

    /// <summary>The machine's network changed: looks at once, and gives the candidates that are new.</summary>
    public IReadOnlyList<Candidate> LookAgain(Instant now)
    {
        if (!allowDirectPaths)
            return [];
        IReadOnlyList<Candidate> before = _public;
        Gather(now);
        return [.. _public.Except(before)];
    }

    /// <summary>Is it one of the addresses that peers are told?</summary>
    public bool Knows(NetworkAddress address) => Reflexive?.Address == address || _local.Concat(Mapped).Any(candidate => candidate.Address == address);

    /// <summary>The addresses that gateways map to this endpoint now.</summary>
    // spec: PATH-51
    public IReadOnlyList<Candidate> Mapped { get; set; } = [];

    /// <summary>Best first. Loopback addresses are told only to <paramref name="peer"/>s that are on loopback themselves.</summary>
    public IReadOnlyList<Candidate> For(Instant now, NetworkAddress peer)
    {
        IReadOnlyList<Candidate> direct = allowDirectPaths ? Direct(now, peer) : [];
        return Relayed is { } lent ? [.. direct, lent] : direct;
    }

    private IReadOnlyList<Candidate> Direct(Instant now, NetworkAddress peer)
    {
        if (_gatheredAt is not { } gatheredAt || (!IsWatched && now - gatheredAt > Freshness))
            Gather(now);
        IReadOnlyList<Candidate> own = HostCandidates.IsLoopback(peer) ? _local : _public;
        if (Mapped.Count > 0)
            own = [.. own.Concat(Mapped).DistinctBy(candidate => candidate.Address)];
        bool isNew = Reflexive is { } seen && !own.Any(candidate => candidate.Address == seen.Address);
        return isNew ? [.. own, Reflexive!.Value] : own;
    }

    // An interface that goes away while it is looked at makes the framework throw: what was known is the better answer then.
    private void Gather(Instant now)
    {
        _gatheredAt = now;
        try
        {
            (_public, _local) = (_gather(socket, false), _gather(socket, true));
        }
        catch (Exception error) when (error is Win32Exception or IOException or UnauthorizedAccessException)
        {
        }
    }
}
