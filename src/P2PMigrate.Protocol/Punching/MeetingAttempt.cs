using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Punching;

/// <summary>See <see cref="PunchMethod.Meet"/>.</summary>
// spec: PATH-73
internal sealed class MeetingAttempt : PunchAttempt
{
    private const int Sockets = 16;

    // What hits is answered while the probes still leave.
    // spec: CONST-241
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(500);

    private readonly ushort _newest;
    private readonly int _step;
    private readonly ShuffledRange[]? _blocks;
    private readonly ShuffledRange? _distances;

    /// <summary>Towards a NAT of this profile.</summary>
    public MeetingAttempt(NetworkAddress target, in NatProfile remote, ushort newest, ulong seed)
        : base(target)
    {
        (ushort low, ushort high) = (remote.LowestPort, remote.HighestPort);
        (_newest, _step) = (newest, remote.Step == 0 ? 1 : remote.Step);
        if (PortOrder.IsBlock(remote))
            _blocks = [.. Enumerable.Range(1, Sockets).Select(i => new ShuffledRange(low, high, seed * (ulong)(2 * i + 1)))];
        else
            _distances = new ShuffledRange(1, MaxProbes, seed);
    }

    /// <inheritdoc/>
    public override bool NeedsSockets => true;

    /// <inheritdoc/>
    public override TimeSpan Patience => s_patience;

    /// <inheritdoc/>
    public override bool IsWorthRepeating => true;

    /// <inheritdoc/>
    protected override bool TryPick(int index, out byte socket, out ushort port)
    {
        socket = (byte)(index % Sockets);
        if (_blocks is not null)
            return _blocks[socket].TryNext(out port);
        bool isThere = _distances!.TryNext(out ushort distance);
        port = PortOrder.At(_newest, _step * distance);
        return isThere;
    }
}
