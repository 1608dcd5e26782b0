using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Punching;

/// <summary>
/// One attempt to punch through: a bounded number of small probes at a bounded rate, each from a socket to a port of one host.
/// Whatever comes back makes a pair like any packet from an unknown source. Owned by the <see cref="Puncher"/>.
/// </summary>
internal abstract class PunchAttempt(NetworkAddress target)
{
    /// <summary>Probes of one attempt.</summary>
    // spec: PATH-75, CONST-240
    public const int MaxProbes = 2048;

    /// <summary>Sockets from which they may leave, the endpoint's own one, number 0, included.</summary>
    // spec: CONST-241
    public const int MaxSockets = 256;

    /// <summary>The pause between two probes: a thousand a second.</summary>
    // spec: PATH-75, CONST-240
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    /// <summary>How long answers are waited for after the last probe, with all sockets open, at most.</summary>
    // spec: CONST-241
    public static readonly TimeSpan LongestPatience = TimeSpan.FromSeconds(2);

    /// <summary>The host, and the port at which a server saw the peer.</summary>
    public NetworkAddress Target => target;

    /// <summary>Probes so far.</summary>
    public int Sent { get; private set; }

    /// <summary>How long it itself waits.</summary>
    public virtual TimeSpan Patience => LongestPatience;

    /// <summary>Is it mere chance whether it hits, so that another one like it is worth while at once?</summary>
    public virtual bool IsWorthRepeating => false;

    /// <summary>Does it use others than the endpoint's own socket?</summary>
    public virtual bool NeedsSockets => false;

    /// <summary>Walks that it has begun so far.</summary>
    public virtual int Walks => 0;

    /// <summary>
    /// The attempt that <paramref name="method"/> asks for; <paramref name="number"/> attempts were made before, in which either peer walked
    /// <paramref name="walked"/> times since a server saw the newest port.
    /// </summary>
    public static PunchAttempt Create(
        PunchMethod method, in NatProfile local, in NatProfile remote, NetworkAddress target, int number, int walked, ulong seed)
    {
        ushort newest = remote.Newest.HasSameHost(target) ? remote.Newest.Port : target.Port;
        bool isGuess = number == 0; // A sequence is predicted first; then many sockets take what others have put out of step.
        int reach = remote.Allocation == PortAllocation.Sequential && !isGuess ? PortOrder.Far : PortOrder.Near;
        return method switch
        {
            PunchMethod.Seek => new SeekingAttempt(target, new PortOrder(remote, newest, reach, seed)),
            PunchMethod.Open => new OpeningAttempt(target, local.Allocation == PortAllocation.Sequential && isGuess ? 1 : MaxSockets),
            PunchMethod.Meet => new MeetingAttempt(target, remote, newest, seed),
            _ => new WalkingAttempt(target, newest, remote, walked, firstSocket: isGuess ? 0 : 1) { IsLeader = method == PunchMethod.Lead },
        };
    }

    /// <summary>Takes the next probe: where it leaves, and to where; false after the last one.</summary>
    public bool TryTake(out PathAddress path)
    {
        path = default;
        if (Sent >= MaxProbes || !TryPick(Sent, out byte socket, out ushort port))
            return false;
        path = new(LocalInterface.Socket(socket), target.WithPort(port));
        Sent++;
        return true;
    }

    /// <summary>Routers that a probe may pass; 0 is as many as usual.</summary>
    public virtual byte HopLimitOf(int index) => 0;

    /// <summary>When a probe is due, counted from the first one.</summary>
    public virtual TimeSpan DueAfter(int index) => Pause * index;

    /// <summary>Socket and port of a probe; false when there is none with this number.</summary>
    protected abstract bool TryPick(int index, out byte socket, out ushort port);
}

/// <summary>See <see cref="PunchMethod.Seek"/>.</summary>
// spec: PATH-71
internal sealed class SeekingAttempt(NetworkAddress target, PortOrder ports) : PunchAttempt(target)
{
    /// <inheritdoc/>
    protected override bool TryPick(int index, out byte socket, out ushort port)
    {
        socket = 0;
        return ports.TryNext(out port);
    }
}

/// <summary>See <see cref="PunchMethod.Open"/>. The other side needs time, and probes get lost: each socket sends several times.</summary>
// spec: PATH-71
internal sealed class OpeningAttempt(NetworkAddress target, int sockets) : PunchAttempt(target)
{
    private const int Rounds = 5;
    private const int ShortRounds = 3;
    private static readonly TimeSpan s_round = TimeSpan.FromMilliseconds(500);

    /// <inheritdoc/>
    public override bool NeedsSockets => sockets > 1;

    /// <inheritdoc/>
    public override TimeSpan DueAfter(int index) => s_round * (index / sockets) + Pause * (index % sockets);

    /// <inheritdoc/>
    // spec: PATH-78
    public override byte HopLimitOf(int index) => index / sockets < ShortRounds ? ShortOpeners.LimitOf(index / sockets) : (byte)0;

    /// <inheritdoc/>
    protected override bool TryPick(int index, out byte socket, out ushort port)
    {
        (socket, port) = ((byte)(index % sockets), Target.Port);
        return index < Rounds * sockets;
    }
}
