namespace P2PMigrate.Protocol.Punching;

/// <summary>When a session that plain probes should have made direct tries another socket: once for each attempt to find a direct path. One owner.</summary>
// spec: PATH-82
internal sealed class FreshSocketTimetable
{
    /// <summary>How long probes from the sockets that there are have time.</summary>
    // spec: CONST-248
    public static readonly TimeSpan Delay = TimeSpan.FromSeconds(2);

    /// <summary>When another socket is due.</summary>
    public Instant NextAt { get; private set; } = Instant.Never;

    /// <summary>Has one been asked for that may still be open?</summary>
    public bool IsOpen { get; set; }

    /// <summary>An attempt begins.</summary>
    public void Begin(Instant now) => NextAt = now + Delay;

    /// <summary>The socket of this attempt is asked for, or none is of use, or there is a direct path.</summary>
    public void End() => NextAt = Instant.Never;
}
