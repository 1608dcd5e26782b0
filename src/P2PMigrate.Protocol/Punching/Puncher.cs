using System.Buffers.Binary;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Punching;

/// <summary>
/// Punches when it is wanted, as far as both NATs are known, a server has vouched for the peer's address, and the budget allows.
/// Owned by the <see cref="PathAgent"/>.
/// </summary>
internal sealed class Puncher(TunnelConnectionOptions options)
{
    private static readonly TimeSpan s_refusedPause = TimeSpan.FromMilliseconds(10);

    private NatProfile _local = options.LocalNat;
    private NatProfile _remote = options.RemoteNat ?? default;
    private NetworkAddress _vouched;
    private PunchMethod _method;
    private Instant _wantedAt = Instant.Never;
    private PunchAttempt? _attempt;
    private Instant _begunAt;
    private Instant _nextAt;
    private int _attempts;
    private int _walked;

    /// <summary>The NATs before this peer.</summary>
    public NatProfile Local
    {
        get => _local;
        set
        {
            _local = value;
            Choose();
        }
    }

    /// <summary>The NATs before the other one, as it says itself.</summary>
    public NatProfile Remote
    {
        get => _remote;
        // spec: PATH-73
        set
        {
            if (value.Newest != _remote.Newest)
                _walked = -(_attempt?.Walks ?? 0); // Whoever saw that port has seen these; Drop counts all of the attempt.
            _remote = value;
            Choose();
        }
    }

    /// <summary>When <see cref="TryNext"/> has something to do.</summary>
    public Instant NextAt => _attempt is not null ? _nextAt : _method != PunchMethod.None ? _wantedAt : Instant.Never;

    /// <summary>Are sockets open for an attempt that may be closed when it is over?</summary>
    public bool HoldsSockets { get; private set; }

    /// <summary>A rendezvous server has seen the peer at this address: that host, and no other, may be punched.</summary>
    // spec: PATH-74
    public void Vouch(NetworkAddress address)
    {
        if (!_vouched.IsNone)
            return; // Whoever offers a message 1 again that he has overheard would have himself punched, and the peer not.
        _vouched = address;
        Choose();
    }

    /// <summary>An attempt is to begin then, unless one is under way.</summary>
    public void Want(Instant at) => _wantedAt = at;

    /// <summary>There is a direct path: nothing more is sent.</summary>
    public void Stop()
    {
        if (_attempt is not null)
            options.Punching!.HandleEnded(_vouched, _attempt.Sent);
        Drop();
        _wantedAt = Instant.Never;
        _attempts = 0;
    }

    /// <summary>Begins an attempt if one is wanted and allowed; one that is not allowed yet is wanted again when it is.</summary>
    // spec: PATH-75
    public bool TryBegin(Instant now)
    {
        _wantedAt = Instant.Never;
        if (!options.Punching!.TryBegin(now, _vouched, out Instant later))
        {
            _wantedAt = later;
            return false;
        }

        Span<byte> seed = stackalloc byte[sizeof(ulong)];
        options.Entropy.Fill(seed);
        _attempt = PunchAttempt.Create(_method, _local, _remote, _vouched, _attempts++, _walked, BinaryPrimitives.ReadUInt64LittleEndian(seed));
        HoldsSockets |= _attempt.NeedsSockets;
        _begunAt = now;
        _nextAt = now;
        return true;
    }

    /// <summary>The next probe of the attempt under way, if one is due; false also when the attempt has ended now.</summary>
    // spec: PATH-86
    public bool TryNext(Instant now, out PathAddress path, out byte hopLimit)
    {
        (path, hopLimit) = (default, 0);
        if (!options.Punching!.TryTake(now))
        {
            _nextAt = now + s_refusedPause;
            return false;
        }

        hopLimit = _attempt!.HopLimitOf(_attempt.Sent);
        if (!_attempt.TryTake(out path))
        {
            End(now);
            return false;
        }

        _nextAt = _begunAt + _attempt.DueAfter(_attempt.Sent); // Past, when this peer was held up: the budget bounds what leaves at once.
        return true;
    }

    /// <summary>Is nothing under way?</summary>
    public bool IsOver => _attempt is null;

    private bool HasMoved => !_remote.Newest.IsNone && _remote.Newest.Family == _vouched.Family && !_remote.Newest.HasSameHost(_vouched);

    // A peer that has moved is not where it was vouched for any more.
    // spec: PATH-74
    private void Choose() => _method = options.Punching is null || _vouched.IsNone || HasMoved
        ? PunchMethod.None
        : PunchPlan.Choose(_local, _remote, options.Role);

    // The last probe has left: those that come late shall find the sockets open.
    private void End(Instant now)
    {
        Instant end = _begunAt + _attempt!.DueAfter(_attempt.Sent - 1) + _attempt.Patience;
        if (now < end)
        {
            _nextAt = end;
            return;
        }

        if (_attempt.IsWorthRepeating && _attempts == 1)
            _wantedAt = now;
        _wantedAt = Instant.Max(_wantedAt, now + PunchAttempt.Pause); // One that was wanted meanwhile has a turn of its own.
        Drop();
    }

    private void Drop()
    {
        _walked += _attempt?.Walks ?? 0;
        _attempt = null;
    }
}
