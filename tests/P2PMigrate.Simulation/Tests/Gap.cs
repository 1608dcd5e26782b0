using P2PMigrate.Protocol;

namespace P2PMigrate.Simulation.Tests;

/// <summary>How long a transfer to the responder stands still.</summary>
internal static class Gap
{
    // Fewer bytes than a full datagram has are acknowledgements and probes.
    private const long Full = 1000;

    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(1);

    /// <summary>Lets the world run for so long; the longest time in which no data arrived.</summary>
    public static TimeSpan Longest(World world, TimeSpan duration)
    {
        TimeSpan longest = TimeSpan.Zero, gap = TimeSpan.Zero;
        long last = world.Responder.Connection.Statistics.BytesReceived;
        for (Instant end = world.Now + duration; world.Now < end; world.RunFor(s_step))
        {
            long received = world.Responder.Connection.Statistics.BytesReceived;
            gap = received < last + Full ? gap + s_step : TimeSpan.Zero;
            longest = gap > longest ? gap : longest;
            last = received;
        }

        return longest;
    }
}
