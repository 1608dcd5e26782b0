using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Google.Protobuf;

namespace P2PMigrate.Migration.Transfer;

/// <summary>
/// Length-prefixed records on a pipe: u32 length, little-endian, then the bytes. What breaks the form or the bound is the peer's fault:
/// a <see cref="MigrationException"/> of <see cref="MigrationFault.PeerBrokeProtocol"/>.
/// </summary>
// spec: MIG-02
internal static class RecordPipe
{
    private const int PrefixLength = sizeof(uint);

    /// <summary>Writes a record and hands it to the tunnel. Returns the bytes given to the tunnel.</summary>
    public static async ValueTask<long> WriteRecordAsync(this PipeWriter output, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(output.GetSpan(PrefixLength), (uint)record.Length);
        output.Advance(PrefixLength);
        await output.WriteAsync(record, cancellationToken).ConfigureAwait(false);
        return PrefixLength + record.Length;
    }

    /// <summary>Writes a long record in pieces, and says of each how long it was: on a slow link it would seem for minutes as if nothing moved.</summary>
    public static async ValueTask WriteRecordAsync(this PipeWriter output, ReadOnlyMemory<byte> record, Action<long> moved, CancellationToken cancellationToken)
    {
        const int Piece = 1 << 17;
        BinaryPrimitives.WriteUInt32LittleEndian(output.GetSpan(PrefixLength), (uint)record.Length);
        output.Advance(PrefixLength);
        moved(PrefixLength);
        for (int offset = 0; offset < record.Length; offset += Piece)
        {
            ReadOnlyMemory<byte> piece = record.Slice(offset, Math.Min(Piece, record.Length - offset));
            await output.WriteAsync(piece, cancellationToken).ConfigureAwait(false);
            moved(piece.Length);
        }
    }

    /// <summary>Writes a protobuf message as a record.</summary>
    public static ValueTask<long> WriteRecordAsync(this PipeWriter output, IMessage record, CancellationToken cancellationToken) =>
        output.WriteRecordAsync(record.ToByteArray(), cancellationToken);

    /// <summary>Reads a record into memory of its own; null when the stream ended properly before it.</summary>
    public static async ValueTask<byte[]?> TryReadRecordAsync(this PipeReader input, int maxLength, CancellationToken cancellationToken)
    {
        byte[]? prefix = await input.TryReadExactlyAsync(PrefixLength, cancellationToken).ConfigureAwait(false);
        if (prefix is null)
            return null;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(prefix);
        if (length > maxLength)
            throw PeerFault.Of($"announced a record of {length} bytes where {maxLength} is the most");
        return await input.ReadGrowingAsync((int)length, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads a record that must come.</summary>
    public static async ValueTask<byte[]> ReadRecordAsync(this PipeReader input, int maxLength, CancellationToken cancellationToken) =>
        await input.TryReadRecordAsync(maxLength, cancellationToken).ConfigureAwait(false) ?? throw PeerFault.EndedEarly();

    /// <summary>Reads exactly <paramref name="length"/> bytes, few enough to be one piece; null when the stream ended properly before the first.</summary>
    public static async ValueTask<byte[]?> TryReadExactlyAsync(this PipeReader input, int length, CancellationToken cancellationToken)
    {
        ReadResult result = await input.ReadAtLeastAsync(length, cancellationToken).ConfigureAwait(false);
        if (result.Buffer.Length < length)
        {
            bool isClean = result.Buffer.IsEmpty;
            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            return isClean ? null : throw PeerFault.EndedEarly();
        }

        ReadOnlySequence<byte> bytes = result.Buffer.Slice(0, length);
        byte[] copy = bytes.ToArray();
        input.AdvanceTo(bytes.End);
        return copy;
    }

    /// <summary>Memory grows with what has come, not with what was announced.</summary>
    private static async ValueTask<byte[]> ReadGrowingAsync(this PipeReader input, int length, CancellationToken cancellationToken)
    {
        const int FirstStep = 1 << 16;
        byte[] bytes = new byte[Math.Min(length, FirstStep)];
        int read = 0;
        while (read < length)
        {
            if (read == bytes.Length)
                Array.Resize(ref bytes, (int)Math.Min(length, 2L * bytes.Length));
            read += await input.ReadSomeAsync(bytes.AsMemory(read), cancellationToken).ConfigureAwait(false);
        }

        return bytes;
    }

    /// <summary>Fills some of <paramref name="destination"/>, at least one byte of it.</summary>
    public static async ValueTask<int> ReadSomeAsync(this PipeReader input, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ReadResult result = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (result.Buffer.IsEmpty && result.IsCompleted)
            throw PeerFault.EndedEarly();
        int length = (int)Math.Min(result.Buffer.Length, destination.Length);
        ReadOnlySequence<byte> bytes = result.Buffer.Slice(0, length);
        bytes.CopyTo(destination.Span);
        input.AdvanceTo(bytes.End);
        return length;
    }
}
