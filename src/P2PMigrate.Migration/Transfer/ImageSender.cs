using System.IO.Pipelines;
using System.Security.Cryptography;
using P2PMigrate.Tunnel;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Transfer;

/// <summary>Sends every file of a finished dump's image directory, in the order of their names, each followed by its digest.</summary>
// spec: MIG-24
internal static class ImageSender
{
    private const int BlockLength = 64 * 1024;

    /// <summary>Sends the files and waits until the target has stored them.</summary>
    public static async Task SendAsync(
        ITunnelSession session, JobId job, string imageDirectory, TransferMeter meter, CancellationToken cancellationToken)
    {
        ITunnelStream stream = await new StreamHeader(job, ContentKind.Images).OpenAsync(session, cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            await WriteAsync(stream.Output, imageDirectory, meter, cancellationToken).ConfigureAwait(false);
            await StreamReceipt.ReadAsync(stream, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Writes the files and what ends them.</summary>
    public static async Task WriteAsync(PipeWriter output, string imageDirectory, TransferMeter meter, CancellationToken cancellationToken)
    {
        foreach (string path in Directory.EnumerateFiles(imageDirectory).Order(StringComparer.Ordinal))
            await SendFileAsync(output, path, meter, cancellationToken).ConfigureAwait(false);
        await output.WriteRecordAsync(new Wire.ImageFile(), cancellationToken).ConfigureAwait(false);
    }

    private static async Task SendFileAsync(PipeWriter output, string path, TransferMeter meter, CancellationToken cancellationToken)
    {
        FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: false);
        await using (file.ConfigureAwait(false))
        {
            meter.Expect(file.Length);
            var head = new Wire.ImageFile { Name = Path.GetFileName(path), Size = (ulong)file.Length };
            meter.Move(0, await output.WriteRecordAsync(head, cancellationToken).ConfigureAwait(false));
            byte[] digest = await SendContentAsync(output, file, meter, cancellationToken).ConfigureAwait(false);
            await output.WriteAsync(digest, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<byte[]> SendContentAsync(PipeWriter output, FileStream file, TransferMeter meter, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long left = file.Length; left > 0;)
        {
            Memory<byte> block = output.GetMemory(BlockLength);
            int read = file.Read(block.Span[..(int)Math.Min(left, block.Length)]);
            if (read == 0)
                throw new EndOfStreamException($"The image {file.Name} became shorter while it was sent.");
            hash.AppendData(block.Span[..read]);
            output.Advance(read);
            await output.FlushAsync(cancellationToken).ConfigureAwait(false);
            meter.Move(read, read);
            left -= read;
        }

        return hash.GetHashAndReset();
    }
}
