using P2PMigrate.Protocol.Streams;
using P2PMigrate.Simulation.Peers;

namespace P2PMigrate.Simulation.Scripts;

/// <summary>
/// One thing that happens in a script. Each is complete in itself, so that a script without it still makes sense: that is
/// what lets a failing script shrink.
/// </summary>
public abstract record Operation(TimeSpan At)
{
    /// <summary>It happens.</summary>
    public abstract void Perform(World world);
}

/// <summary>
/// A peer opens a stream, if it may, and writes to it; the other one answers, or resets, or does not want to hear it all.
/// </summary>
public sealed record OpenStream(TimeSpan At, int Peer, StreamClass Class, Flow Question, Flow Answer) : Operation(At)
{
    public override void Perform(World world)
    {
        Peer asker = world.Peers[Peer], other = world.CounterpartOf(asker);
        if (!asker.Connection.TryOpenStream(Class, out StreamId id))
            return;
        asker.Expect(id).StopAfter = Answer.StopAfter;
        asker.Send(id, Question.Length, Question.ResetAt);
        other.WhenAccepted(id, () =>
        {
            other.Expect(id).StopAfter = Question.StopAfter;
            other.Send(id, Answer.Length, Answer.ResetAt);
        });
    }
}

/// <summary>What goes one way on a stream: its bytes, where its writer resets it, and where its reader has enough.</summary>
public sealed record Flow(long Length, ulong? ResetAt, ulong StopAfter)
{
    public static Flow Random(SeededGenerator random, int length) => new(
        random.Chance(0.1) ? random.Between(0, length * 40) : random.Between(0, length),
        random.Chance(0.12) ? (ulong)random.Between(0, length) : null,
        random.Chance(0.1) ? (ulong)random.Between(0, length) : ulong.MaxValue);
}

/// <summary>An application does not read for a while.</summary>
public sealed record PauseReading(TimeSpan At, int Peer, TimeSpan For) : Operation(At)
{
    public override void Perform(World world)
    {
        Peer peer = world.Peers[Peer];
        peer.IsReading = false;
        world.At(For, () =>
        {
            peer.IsReading = true;
            peer.ReadAll();
        });
    }
}

/// <summary>
/// A NAT takes another port. Without a relay the other side has to let the new port in, or the session is really over.
/// </summary>
public sealed record Rebind(TimeSpan At, int Peer) : Operation(At)
{
    public override void Perform(World world)
    {
        world.Internet.NatOf(world.CounterpartOf(world.Peers[Peer]).Index).IsFiltering &= world.Options.HasRelay;
        world.Internet.NatOf(Peer).Rebind();
    }
}

/// <summary>A route goes down, and perhaps comes back. There are two, and one stays up.</summary>
public sealed record CutRoute(TimeSpan At, bool IsRelay, TimeSpan? For) : Operation(At)
{
    public override void Perform(World world)
    {
        Action<bool> setUp = IsRelay ? world.Internet.SetRelayUp : world.Internet.SetDirectUp;
        setUp(false);
        if (For is { } duration)
            world.At(duration, () => setUp(true));
    }
}

/// <summary>The routes become better or worse.</summary>
public sealed record ChangeFaults(TimeSpan At, bool IsRelay, Network.LinkFaults Faults) : Operation(At)
{
    public override void Perform(World world)
    {
        if (IsRelay)
            world.Internet.SetRelayFaults(Faults);
        else
            world.Internet.SetDirectFaults(Faults);
    }
}
