using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation;

/// <summary>What has to hold after every step. The keys check packet numbers, the streams check bytes; this checks the rest.</summary>
public static class Checks
{
    public static void That(bool holds, string sentence)
    {
        if (!holds)
            throw new InvalidOperationException(sentence);
    }

    /// <summary>For sentences that cost something to put together.</summary>
    public static void That(bool holds, Func<string> sentence)
    {
        if (!holds)
            throw new InvalidOperationException(sentence());
    }

    public static void AfterDrain(World world, Peer peer)
    {
        TunnelConnection connection = peer.Connection;
        That(connection.PendingEvents == 0, "All events were polled.");
        That(connection.Agent.Pairs.Count <= PairTable.MaxPairs, "There are too many pairs.");
        That(connection.Streams.Count <= MaxStreams(world.Options.Parameters), "There are too many streams.");
        That(connection.Statistics.BytesInFlight >= 0, "Bytes in flight are never negative.");
    }

    /// <summary>Handling what is due, then draining, leaves nothing due: a driver does not spin.</summary>
    public static void AfterTimeout(World world, Peer peer) => That(
        !(peer.Connection.NextTimeout <= world.Now), () => $"A timeout was handled at {world.Now.Nanoseconds} and is still due: {peer.Connection.Timers}.");

    private static long MaxStreams(TransportParameters limits) =>
        2 * (long)(limits.Control.Streams + limits.Urgent.Streams + limits.Bulk.Streams);
}
