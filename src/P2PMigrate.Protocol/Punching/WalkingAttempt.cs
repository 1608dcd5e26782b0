using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Punching;

/// <summary>
/// See <see cref="PunchMethod.Lead"/>. The leader's i-th new port sends to the i-th port after the newest one that was seen of
/// the follower. If both NATs have given ports to others meanwhile, a and b of them, the follower's k-th port meets the leader's
/// when it sends a + b ports further than the k-th: it tries all such distances in turn, which takes it to every second port. Those
/// left out come last, for a NAT that has one port for all. No port is sent to twice, for that would not make the NAT count. The
/// same is sent again, from the same ports, for what was lost. If one of the two probes that meet was lost before its NAT, the ports are
/// out of step for good: so both go the same way from another socket, whose ports follow those of the first.
/// </summary>
// spec: PATH-73
internal sealed class WalkingAttempt(NetworkAddress target, ushort newest, in NatProfile remote, int walked, int firstSocket) : PunchAttempt(target)
{
    private const int Length = 160;
    private const int Passes = 2;
    private const int WalksOfAttempt = 3;
    private const int Distances = 96;
    private const int DistancesBack = 8;
    private static readonly TimeSpan s_pass = TimeSpan.FromMilliseconds(400);

    private readonly int _step = remote.Step == 0 ? 1 : remote.Step;
    private readonly int _taken = remote.Mapping == NatMapping.AddressDependent ? 1 : Length;

    /// <summary>Is this the initiator?</summary>
    public required bool IsLeader { get; init; }

    /// <inheritdoc/>
    public override bool NeedsSockets => true;

    /// <inheritdoc/>
    public override int Walks => (Sent + Passes * Length - 1) / (Passes * Length);

    /// <inheritdoc/>
    public override TimeSpan DueAfter(int index) => s_pass * (index / Length) + Pause * (index % Length);

    /// <inheritdoc/>
    protected override bool TryPick(int index, out byte socket, out ushort port)
    {
        (int walk, int place) = (index / (Passes * Length), 1 + index % Length);
        int further = IsLeader ? place : place <= Distances ? 2 * place - DistancesBack : 2 * (place - Distances) - 1;
        (socket, port) = ((byte)(firstSocket + walk), PortOrder.At(newest, _step * ((walked + walk) * _taken + further)));
        return walk < WalksOfAttempt;
    }
}
