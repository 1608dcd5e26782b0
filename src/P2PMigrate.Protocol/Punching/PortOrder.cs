using P2PMigrate.Protocol.Nat;

namespace P2PMigrate.Protocol.Punching;

/// <summary>
/// The ports of a NAT in the order in which it is worth to try them: those around the newest one that was seen, then its block;
/// of one without a block those from which Linux takes ports of its own, then all others. One owner.
/// </summary>
// spec: PATH-72
internal sealed class PortOrder
{
    /// <summary>How far from the newest port it looks first, in steps.</summary>
    // spec: CONST-243
    public const int Near = 64;

    /// <summary>How far, of a NAT that counts up, when the other side sends from many ports.</summary>
    // spec: CONST-243
    public const int Far = 512;

    /// <summary>Lower ports are given to services only.</summary>
    public const ushort Lowest = 1024;

    private const ushort LowestEphemeral = 32_768;
    private const ushort HighestEphemeral = 60_999;

    private readonly ushort _newest;
    private readonly int _step;
    private readonly int _reach;
    private readonly ShuffledRange[] _ranges;
    private int _near;
    private int _range;

    /// <summary>
    /// Ports of a NAT of this <paramref name="profile"/>, last seen to use <paramref name="newest"/>; near ones within
    /// <paramref name="reach"/> steps. A sequence is looked for there only. <paramref name="seed"/> shuffles the rest.
    /// </summary>
    public PortOrder(in NatProfile profile, ushort newest, int reach, ulong seed)
    {
        bool isSequence = profile.Allocation == PortAllocation.Sequential;
        (_newest, _reach) = (newest, reach);
        _step = isSequence && profile.Step != 0 ? profile.Step : 1;
        _ranges = isSequence ? []
            : IsBlock(profile) ? [new(profile.LowestPort, profile.HighestPort, seed)]
            : [new(LowestEphemeral, HighestEphemeral, seed), new(Lowest, LowestEphemeral - 1, seed), new(HighestEphemeral + 1, ushort.MaxValue, seed)];
    }

    /// <summary>Does the profile say from which few ports the NAT draws?</summary>
    public static bool IsBlock(in NatProfile profile) =>
        profile.Allocation == PortAllocation.Block && profile.LowestPort > 0 && profile.HighestPort >= profile.LowestPort;

    /// <summary>The port that lies so far from another one; after the highest comes the lowest.</summary>
    public static ushort At(ushort port, int distance)
    {
        const int Count = ushort.MaxValue + 1 - Lowest;
        return (ushort)(Lowest + (((port - Lowest + distance) % Count) + Count) % Count);
    }

    /// <summary>The next one to try; false when all were given.</summary>
    public bool TryNext(out ushort port)
    {
        if (_near < 2 * _reach)
        {
            int distance = 1 + _near / 2;
            port = At(_newest, _step * (_near++ % 2 == 0 ? distance : -distance));
            return true;
        }

        port = 0;
        while (_range < _ranges.Length && !_ranges[_range].TryNext(out port))
            _range++;
        return _range < _ranges.Length;
    }
}
