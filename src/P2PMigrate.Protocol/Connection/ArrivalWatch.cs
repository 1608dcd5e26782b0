namespace P2PMigrate.Protocol.Connection;

/// <summary>
/// Notices that packets which came steadily have stopped: the NAT before us may have chosen another port, which the sender
/// learns only from what we send. What counts are packets that ask for an acknowledgement, data or not. Reads no clock. Owned by the <see cref="PacketReceiver"/>.
/// </summary>
// spec: PATH-34
internal sealed class ArrivalWatch
{
    /// <summary>Packets in half a second that make a flow.</summary>
    // spec: CONST-152
    public const int Steady = 16;

    /// <summary>A pause is worth a question when it is twice as long as usual, within these limits.</summary>
    // spec: CONST-152
    public static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(10), LongestPause = TimeSpan.FromMilliseconds(40);

    /// <summary>Between two questions.</summary>
    // spec: CONST-152
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);

    // What was in this half second and in the one before is usual; after a pause as long a flow begins anew.
    private static readonly TimeSpan s_memory = TimeSpan.FromMilliseconds(500);

    private Instant _lastAt;
    private Instant _memoryBegan;
    private Instant _notBefore;
    private TimeSpan _longest;
    private TimeSpan _longestBefore;
    private int _packets;
    private int _packetsBefore;
    private bool _isAsked;

    /// <summary>When to ask, if nothing comes until then.</summary>
    public Instant? AskAt => Math.Max(_packets, _packetsBefore) < Steady || _isAsked ? null : Instant.Max(_lastAt + Patience, _notBefore);

    private TimeSpan Patience
    {
        get
        {
            TimeSpan twice = 2 * (_longest > _longestBefore ? _longest : _longestBefore);
            return twice < ShortestPause ? ShortestPause : twice > LongestPause ? LongestPause : twice;
        }
    }

    /// <summary>A packet that asks for an acknowledgement came.</summary>
    public void HandleReceived(Instant now)
    {
        TimeSpan pause = now - _lastAt;
        _lastAt = now;
        _isAsked = false;
        if (pause >= s_memory)
        {
            (_longest, _longestBefore, _packets, _packetsBefore, _memoryBegan) = (TimeSpan.Zero, TimeSpan.Zero, 1, 0, now);
            return;
        }

        _packets++;
        _longest = pause > _longest ? pause : _longest;
        if (now - _memoryBegan >= s_memory)
            (_longestBefore, _longest, _packetsBefore, _packets, _memoryBegan) = (_longest, TimeSpan.Zero, _packets, 0, now);
    }

    /// <summary>The question is on its way; the next one waits until something has come.</summary>
    public void HandleAsked(Instant now)
    {
        _isAsked = true;
        _notBefore = now + Interval;
    }
}
