using System.Collections.Immutable;
using P2PMigrate.Protocol;
using P2PMigrate.Simulation.Network;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation.Scripts;

/// <summary>
/// A run as data: the world's seed and options, the faults of both routes, and what happens when. In the end everything
/// that was promised has arrived and both sides know why the session is over.
/// </summary>
public sealed record Script(ulong Seed, WorldOptions Options, LinkFaults Direct, LinkFaults Relay, ImmutableArray<Operation> Operations)
{
    /// <summary>Everything has to be delivered by then.</summary>
    private static readonly TimeSpan s_deadline = TimeSpan.FromMinutes(10);

    /// <summary>By then everything has happened that the script plans.</summary>
    private static readonly TimeSpan s_planned = TimeSpan.FromSeconds(5.5);

    /// <summary>Who closes.</summary>
    public int Closer { get; init; }

    /// <summary>Does the close deliver everything first?</summary>
    public bool Flushes { get; init; }

    /// <summary>Runs it; throws with a sentence when something does not hold.</summary>
    public World Run()
    {
        World world = new(Seed, Options);
        Instant planned = world.Now + s_planned;
        world.Internet.SetDirectFaults(Direct);
        world.Internet.SetRelayFaults(Relay);
        foreach (Operation operation in Operations)
            world.At(operation.At, () => operation.Perform(world));
        Checks.That(world.RunUntil(() => IsEverythingDelivered(world, planned), s_deadline), () => Describe(world, "Not everything was delivered in time."));
        CheckStreams(world);
        CloseOrderly(world);
        return world;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"direct {Direct}{Environment.NewLine}relay {Relay}{Environment.NewLine}" + string.Join(Environment.NewLine, Operations);

    private static bool IsEverythingDelivered(World world, Instant planned)
    {
        Checks.That(world.Peers.All(peer => peer.Closed is null), () => Describe(world, "The session ended by itself."));
        return world.Now > planned
            && world.Peers.All(peer => peer.Accepted.All(peer.Outgoing.ContainsKey))
            && world.Peers.All(peer => peer.Outgoing.Values.All(stream => IsDelivered(stream, world.CounterpartOf(peer))));
    }

    private static bool IsDelivered(OutgoingStream sent, Peer reader) =>
        reader.Incoming.TryGetValue(sent.Id, out IncomingStream? received) && (received.IsEnded || received.IsStopped);

    private static void CheckStreams(World world)
    {
        foreach (Peer writer in world.Peers)
        {
            foreach (OutgoingStream sent in writer.Outgoing.Values)
            {
                IncomingStream received = world.CounterpartOf(writer).Incoming[sent.Id];
                Checks.That(!received.IsFinished || received.IsStopped || received.Received == sent.Length, () => $"Stream {sent.Id} ended at {received.Received}, not {sent.Length}.");
                Checks.That(!received.IsFinished || !sent.WasReset || received.IsStopped, () => $"Stream {sent.Id} was reset and yet ended well.");
                Checks.That(!received.IsReset || sent.WasReset || received.IsStopped, () => $"Stream {sent.Id} came as reset and was not.");
            }
        }
    }

    private void CloseOrderly(World world)
    {
        Peer closer = world.Peers[Closer];
        closer.Connection.Close(world.Now, 0x123, "the script is over", Flushes);
        Checks.That(world.RunUntil(() => world.Peers.All(peer => peer.Connection.IsTerminated), TimeSpan.FromSeconds(30)), "The session does not terminate.");
        foreach (Peer peer in world.Peers)
        {
            Checks.That(peer.Closed is { Code: 0x123, Text: "the script is over" } || peer.Closed is { IsLost: true }, () => $"The reason is wrong: {peer.Closed}");
            Checks.That(peer != closer || peer.Closed is { ByPeer: false, IsLost: false }, "The closer's own reason counts.");
        }
    }

    private static string Describe(World world, string sentence) => $"{sentence} {world.Now}; " + string.Join("; ", world.Peers.Select(peer =>
        $"{peer.Index}: {peer.Connection.PrimaryPath} {peer.Closed} {peer.Connection.Statistics} late: "
        + string.Join(", ", peer.Outgoing.Values.Where(stream => !IsDelivered(stream, world.CounterpartOf(peer))).Select(stream =>
            $"{stream.Id} {stream.Length} {stream.IsEnded} {stream.WasReset} {stream.WasStopped}"))));
}
