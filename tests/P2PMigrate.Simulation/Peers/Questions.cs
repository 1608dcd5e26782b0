using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Simulation.Peers;

/// <summary>
/// One side asks on a fixed schedule, whether or not earlier questions were answered, each time on an urgent stream of its
/// own; the other answers with as many bytes as soon as a question is whole. So a wait that delays many questions is
/// counted many times. Somebody calls <see cref="Look"/> after every step of the world.
/// </summary>
public sealed class Questions(World world, Peer asker, int bytes)
{
    private readonly List<(StreamId Id, Instant Asked)> _unanswered = [];

    /// <summary>From asking to the last byte of the answer.</summary>
    public List<TimeSpan> Times { get; } = [];

    /// <summary>From now on asks so often.</summary>
    public void Schedule(TimeSpan interval, int count)
    {
        for (int i = 1; i <= count; i++)
            world.At(interval * i, Ask);
    }

    /// <summary>Answers what is asked, and notes what is answered.</summary>
    public void Look()
    {
        Peer other = world.CounterpartOf(asker);
        for (int i = _unanswered.Count - 1; i >= 0; i--)
        {
            (StreamId id, Instant asked) = _unanswered[i];
            if (!other.Outgoing.ContainsKey(id) && other.Incoming.TryGetValue(id, out IncomingStream? question) && question.IsFinished)
            {
                other.Send(id, bytes);
                world.Act();
            }

            if (!asker.Incoming[id].IsFinished)
                continue;
            Times.Add(world.Now - asked);
            _unanswered.RemoveAt(i);
        }
    }

    private void Ask() => _unanswered.Add((asker.Open(StreamClass.Urgent, bytes), world.Now));
}
