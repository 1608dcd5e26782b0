namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// Where the bytes of a stream go as they come, without a stay in the session's buffers. Called while the connection handles
/// datagrams: it must not call the connection, nor throw.
/// </summary>
public interface IStreamReader
{
    /// <summary>
    /// Takes the next bytes of the stream, the first so many as it has room for, and returns how many. What it leaves, and all
    /// after it until that has been read, waits for <see cref="TunnelConnection.Read"/>.
    /// </summary>
    int Take(ReadOnlySpan<byte> bytes);
}
