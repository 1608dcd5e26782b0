using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;

namespace P2PMigrate.Tunnel.Sessions;

/// <summary>Collects the figures of a session on the loop and shows them to the application now and then. Loop only.</summary>
internal sealed class SessionFacts(TunnelSession session, Instant begun, TimeSpan toEstablished)
{
    /// <summary>How old the figures that the application sees may be while packets flow.</summary>
    private static readonly TimeSpan s_freshness = TimeSpan.FromMilliseconds(100);

    private SessionTimings _timings = new(toEstablished, null, null);
    private SessionStatistics _published = session.Statistics;
    private Instant _nextPublication;

    /// <summary>Bytes of streams handed to the connection.</summary>
    public long PayloadSent { get; set; }

    /// <summary>Bytes of streams handed to the application.</summary>
    public long PayloadReceived { get; set; }

    /// <summary>When figures that have not been shown yet are due.</summary>
    public Instant NextPublication { get; private set; } = Instant.Never;

    /// <summary>Shows the figures when they are old, or at once when the path changed.</summary>
    public void Publish(TunnelConnection connection, Instant now, bool isPathChange)
    {
        bool isNews = NoteTimings(connection, now) || isPathChange;
        if (!isNews && now < _nextPublication)
        {
            NextPublication = connection.Statistics.DatagramsReceived == _published.DatagramsReceived ? Instant.Never : _nextPublication;
            return;
        }

        _nextPublication = now + s_freshness;
        NextPublication = Instant.Never;
        Show(connection, isPathChange);
    }

    /// <summary>Shows the final figures.</summary>
    public void PublishLast(TunnelConnection connection)
    {
        NextPublication = Instant.Never;
        Show(connection, isPathChange: false);
    }

    private bool NoteTimings(TunnelConnection connection, Instant now)
    {
        SessionTimings before = _timings;
        if (_timings.ToFirstByte is null && connection.Statistics.DatagramsReceived > 0)
            _timings = _timings with { ToFirstByte = now - begun };
        if (_timings.ToDirect is null && connection.PrimaryPath is { Kind: Protocol.Paths.PathKind.Direct })
            _timings = _timings with { ToDirect = now - begun };
        return before != _timings;
    }

    private void Show(TunnelConnection connection, bool isPathChange)
    {
        TunnelStatistics counted = connection.Statistics;
        _published = new SessionStatistics(
            PayloadSent, PayloadReceived, counted.BytesSent, counted.BytesReceived, counted.DatagramsSent, counted.DatagramsReceived,
            counted.PacketsLost, counted.PacketsLostSpuriously);
        session.Publish(Summarise(connection.PrimaryPath), _published, _timings, isPathChange);
    }

    private static PathSummary? Summarise(PathStatus? path) => path is not { } status
        ? null
        : new PathSummary((PathKind)status.Kind, status.Address.Remote.ToString(), status.RoundTrip);
}
