using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Simulation.Peers;

/// <summary>Writes a pattern into one direction of a stream, as fast as it is taken, then ends it.</summary>
public sealed class OutgoingStream(StreamId id, ulong key, ulong length, ulong? resetAt)
{
    private readonly byte[] _chunk = new byte[4096];
    private ulong _written;

    public StreamId Id => id;

    public ulong Length => length;

    /// <summary>Has the end been written, or did the peer refuse the rest?</summary>
    public bool IsEnded { get; private set; }

    public bool WasReset { get; private set; }

    public bool WasStopped { get; private set; }

    public void Pump(TunnelConnection connection)
    {
        while (!IsEnded && _written < length && !(resetAt <= _written))
        {
            int count = (int)Math.Min((ulong)_chunk.Length, length - _written);
            Pattern.Fill(key, _written, _chunk.AsSpan(0, count));
            StreamWriteResult result = connection.Write(id, _chunk.AsSpan(0, count));
            _written += (ulong)result.Count;
            if (result.Status != StreamWriteStatus.Open)
                WasStopped = IsEnded = true;
            else if (result.Count < count)
                return;
        }

        if (IsEnded)
            return;
        IsEnded = true;
        WasReset = resetAt is not null;
        if (WasReset)
            connection.Reset(id, code: 77);
        else
            connection.Finish(id);
    }
}
