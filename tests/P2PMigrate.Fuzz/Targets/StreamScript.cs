using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Recovery;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>
/// Two applications use streams over a network that a script of bytes rules: each pair of bytes is an operation and its
/// argument, whose highest bit says which side does it. In the end the network heals, and everything that was promised
/// has to have arrived.
/// </summary>
internal sealed class StreamScript
{
    private const int MaxSlabs = 4096;
    private const int HealingSteps = 4_000;

    private static readonly ClassLimits s_tight = new(StreamWindow: 3_000, ClassWindow: 6_000, Streams: 3);

    private readonly byte[] _script;
    private readonly ScriptPeer[] _peers;
    private readonly byte[] _datagram = new byte[TunnelConnection.MaxDatagramSize];
    private Instant _now = Start;

    private static Instant Start => new(1_000_000_000);

    /// <summary>The bit 0x40 of the first byte chooses the congestion control.</summary>
    public StreamScript(byte[] script)
    {
        _script = script;
        CongestionControl control = script.Length > 0 && (script[0] & 0x40) != 0 ? CongestionControl.Cubic : CongestionControl.Bbr;
        TransportParameters parameters = new() { Control = s_tight };
        _peers =
        [
            new ScriptPeer(0, SessionTargets.Create(ConnectionRole.Initiator, Start, parameters, control)),
            new ScriptPeer(1, SessionTargets.Create(ConnectionRole.Responder, Start, parameters, control)),
        ];
    }

    public void Run()
    {
        try
        {
            for (int i = 0; i + 1 < _script.Length; i += 2)
                Do(_script[i] & 15, _script[i + 1]);
            Heal();
        }
        finally
        {
            foreach (ScriptPeer peer in _peers)
                peer.Connection.Dispose();
        }
    }

    private void Do(int operation, byte argument)
    {
        ScriptPeer peer = _peers[argument >> 7], other = _peers[1 - (argument >> 7)];
        int value = argument & 0x7F;
        switch (operation)
        {
            case 6: Deliver(peer, other, count: 1); break;
            case 7: peer.Lose(); break;
            case 8: Wait(TimeSpan.FromMilliseconds(value * 4)); break;
            case 12: Deliver(peer, other, int.MaxValue); break;
            case 13: peer.Reorder(); break;
            case 14: peer.Duplicate(); break;
            default: peer.Do(operation, value, _now); break;
        }

        foreach (ScriptPeer each in _peers)
            Drain(each);
    }

    private void Deliver(ScriptPeer from, ScriptPeer to, int count)
    {
        for (; count > 0 && from.TryTakeDatagram(out byte[]? datagram); count--)
        {
            to.Connection.HandleDatagram(_now, SessionTargets.Here, datagram);
            Drain(to);
        }
    }

    private void Wait(TimeSpan span)
    {
        _now += span;
        foreach (ScriptPeer peer in _peers)
        {
            peer.Connection.HandleTimeout(_now);
            Drain(peer);
        }
    }

    private void Drain(ScriptPeer peer)
    {
        peer.DrainEvents();
        while (peer.Connection.TryPollTransmit(_now, _datagram, out Transmit transmit))
            peer.Add(_datagram.AsSpan(0, transmit.Length).ToArray());
        Require(peer.Connection.SlabCount <= MaxSlabs, "The buffers hold more than the windows allow.");
    }

    // Everything that waits is delivered, and readers read: what was finished has to come to its end.
    private void Heal()
    {
        for (int step = 0; step < HealingSteps; step++)
        {
            Deliver(_peers[0], _peers[1], int.MaxValue);
            Deliver(_peers[1], _peers[0], int.MaxValue);
            foreach (ScriptPeer peer in _peers)
            {
                peer.ReadAll();
                Drain(peer);
            }

            if (_peers.Any(peer => peer.Connection.CloseReason is not null))
            {
                Require(_peers.All(peer => peer.Connection.CloseReason is not { } reason || reason.IsLost || reason.Code == ScriptPeer.CloseCode), "A session of honest peers ended by a fault.");
                return;
            }

            if (_peers[0].Missing(_peers[1]).Length + _peers[1].Missing(_peers[0]).Length == 0)
                return;
            Wait(TimeSpan.FromMilliseconds(10));
        }

        Require(false, $"Not everything was delivered: {_peers[0].Missing(_peers[1])}; {_peers[1].Missing(_peers[0])}.");
    }

    private static void Require(bool holds, string sentence)
    {
        if (!holds)
            throw new InvalidOperationException(sentence);
    }
}
