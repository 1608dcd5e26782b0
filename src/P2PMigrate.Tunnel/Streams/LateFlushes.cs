using P2PMigrate.Protocol;

namespace P2PMigrate.Tunnel.Streams;

/// <summary>The streams of a session whose readers have not been shown yet what has come; see <see cref="InboundPump"/>. Loop only.</summary>
internal sealed class LateFlushes
{
    private readonly List<TunnelStream> _streams = [];

    /// <summary>When <see cref="Run"/> has something to do.</summary>
    public Instant Due
    {
        get
        {
            Instant due = Instant.Never;
            foreach (TunnelStream stream in _streams)
                due = Instant.Min(due, stream.FlushDue);
            return due;
        }
    }

    /// <summary>The stream was pumped: remembers it if its reader waits.</summary>
    public void Note(TunnelStream stream)
    {
        if (stream.FlushDue != Instant.Never && !_streams.Contains(stream))
            _streams.Add(stream);
    }

    /// <summary>Shows what has waited long enough.</summary>
    public void Run(Instant now)
    {
        for (int i = _streams.Count - 1; i >= 0; i--)
        {
            _streams[i].FlushIfDue(now);
            if (_streams[i].FlushDue == Instant.Never)
                _streams.RemoveAt(i);
        }
    }
}
