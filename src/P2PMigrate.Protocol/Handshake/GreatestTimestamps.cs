namespace P2PMigrate.Protocol.Handshake;

/// <summary>
/// The greatest timestamps that were accepted, a few of them, so that messages may overtake each other and a clock may be
/// set back, and yet none is accepted twice. One owner.
/// </summary>
/// <remarks>spec: HS-29.</remarks>
internal sealed class GreatestTimestamps
{
    /// <summary>Timestamps remembered; as many as dials that a peer has under way.</summary>
    // spec: CONST-10
    public const int Capacity = 16;

    private readonly SortedSet<ulong> _remembered = [];
    private ulong? _greatestForgotten;

    /// <summary>Accepts and remembers one that is new for certain.</summary>
    public bool TryAccept(ulong timestamp)
    {
        if (timestamp <= _greatestForgotten || !_remembered.Add(timestamp))
        {
            return false;
        }

        if (_remembered.Count > Capacity)
        {
            _greatestForgotten = _remembered.Min;
            _remembered.Remove(_remembered.Min);
        }

        return true;
    }
}
