using P2PMigrate.Protocol.Streams;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation.Tests;

public sealed class FirstTests
{
    [Fact]
    public void A_stream_arrives_over_a_clean_direct_path()
    {
        using World world = new(1);
        StreamId id = world.Initiator.Open(StreamClass.Bulk, 1_000_000);
        Assert.True(world.RunUntil(() => world.Responder.Incoming.TryGetValue(id, out IncomingStream? stream) && stream.IsFinished, TimeSpan.FromSeconds(20)));
        Assert.Equal(1_000_000UL, world.Responder.Incoming[id].Received);
        TestContext.Current.TestOutputHelper!.WriteLine($"{world.Now} steps {world.Steps} {world.Initiator.PathKind} {world.Initiator.Connection.Statistics}");
    }
}
