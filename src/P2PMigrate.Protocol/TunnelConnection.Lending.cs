using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Streams;

namespace P2PMigrate.Protocol;

/// <content>Bytes that are sent from where their owner keeps them.</content>
public sealed partial class TunnelConnection
{
    /// <summary>
    /// As <see cref="Write"/>, without a copy where <paramref name="data"/> is an array's: what is taken must stay as it is until
    /// <see cref="ReleasedUpTo"/> has passed it, of which a <see cref="StreamWritable"/> event tells, or the connection is closed.
    /// </summary>
    // spec: STR-27
    public StreamWriteResult Lend(StreamId stream, ReadOnlyMemory<byte> data)
    {
        if (_close.State != CloseState.Open || !_streams.TryGet(stream, out DuplexStream? found))
            return new(0, StreamWriteStatus.Finished);
        StreamWriteResult result = found.Send.Lend(data);
        _streams.Schedule(found);
        return result;
    }

    /// <summary>What was lent to our direction of the stream before this offset is its owner's again.</summary>
    public ulong ReleasedUpTo(StreamId stream) => _streams.TryGet(stream, out DuplexStream? found) ? found.Send.Released : ulong.MaxValue;
}
