using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Simulation.Peers;

/// <summary>Reads one direction of a stream and checks every byte against the pattern.</summary>
public sealed class IncomingStream(StreamId id, ulong key)
{
    private readonly byte[] _buffer = new byte[16 << 10];

    public StreamId Id => id;

    public ulong Received { get; private set; }

    public bool IsFinished { get; private set; }

    public bool IsReset { get; private set; }

    public bool IsEnded => IsFinished || IsReset;

    /// <summary>Stops reading for good after so many bytes.</summary>
    public ulong StopAfter { get; set; } = ulong.MaxValue;

    public bool IsStopped { get; private set; }

    public void Pump(TunnelConnection connection)
    {
        while (!IsEnded && !IsStopped)
        {
            StreamReadResult result = connection.Read(id, _buffer);
            Checks.That(Pattern.Matches(key, Received, _buffer.AsSpan(0, result.Count)), () => $"Stream {id}: wrong bytes after {Received}.");
            Received += (ulong)result.Count;
            IsFinished = result.Status == StreamReadStatus.Finished;
            IsReset = result.Status == StreamReadStatus.Reset;
            if (!IsEnded && Received >= StopAfter)
            {
                IsStopped = true;
                connection.StopSending(id, code: 88);
            }

            if (result.Count == 0)
                return;
        }
    }
}
