using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Streams;
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

    public static void AfterDrain(World world, Peer peer)
    {
        TunnelConnection connection = peer.Connection;
        That(connection.PendingEvents == 0, "All events were polled.");
        That(!(connection.NextTimeout <= world.Now), "After draining, the next timeout lies in the future.");
        That(connection.Agent.Pairs.Count <= PathAgent.MaxPairs, "There are too many pairs.");
        long limit = 0;
        foreach (StreamClass streamClass in Enum.GetValues<StreamClass>())
            limit += 2 * (long)world.Options.Parameters[streamClass].Streams;
        That(connection.Streams.Count <= limit, "There are too many streams.");
        That(connection.Statistics.BytesInFlight >= 0, "Bytes in flight are never negative.");
    }
}
