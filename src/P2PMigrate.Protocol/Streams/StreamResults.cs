namespace P2PMigrate.Protocol.Streams;

/// <summary>
/// What a write came to. <paramref name="Count"/> bytes were taken; when that is fewer than offered and the status is
/// <see cref="StreamWriteStatus.Open"/>, a <see cref="StreamWritable"/> event follows once there is room. With
/// <see cref="StreamWriteStatus.Stopped"/>, <paramref name="Code"/> is the peer's reason.
/// </summary>
public readonly record struct StreamWriteResult(int Count, StreamWriteStatus Status, ulong Code = 0);

/// <summary>The state of our direction of a stream.</summary>
public enum StreamWriteStatus
{
    /// <summary>Bytes may be written.</summary>
    Open,

    /// <summary>Finished or reset here, or the stream is over: nothing more can be written.</summary>
    Finished,

    /// <summary>The peer does not want any more; nothing was taken.</summary>
    Stopped,
}

/// <summary>
/// What a read came to: <paramref name="Count"/> bytes were copied. With <see cref="StreamReadStatus.Reset"/>,
/// <paramref name="Code"/> is the peer's reason.
/// </summary>
public readonly record struct StreamReadResult(int Count, StreamReadStatus Status, ulong Code = 0);

/// <summary>The state of the peer's direction of a stream after a read.</summary>
public enum StreamReadStatus
{
    /// <summary>More may come; a <see cref="StreamReadable"/> event tells when.</summary>
    Open,

    /// <summary>Everything has been read, and nothing more will come.</summary>
    Finished,

    /// <summary>The peer gave this direction up; what was not read is gone.</summary>
    Reset,
}
