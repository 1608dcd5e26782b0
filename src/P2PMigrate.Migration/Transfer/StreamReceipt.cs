using System.IO.Pipelines;
using P2PMigrate.Migration.Control;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Transfer;

/// <summary>The last record on a bulk stream, from the target: everything is stored, and applied where it is applied at once.</summary>
/// <param name="Bytes">Content stored, before compression.</param>
// spec: MIG-21
internal readonly record struct StreamReceipt(long Bytes)
{
    /// <summary>Says that everything is stored, and ends this direction.</summary>
    public async ValueTask WriteAsync(PipeWriter output, CancellationToken cancellationToken)
    {
        await output.WriteRecordAsync(new Wire.StreamReceipt { Bytes = (ulong)Bytes }, cancellationToken).ConfigureAwait(false);
        await output.CompleteAsync().ConfigureAwait(false);
    }

    /// <summary>Ends our direction and waits for the target's word.</summary>
    public static async ValueTask<StreamReceipt> ReadAsync(IDuplexPipe stream, CancellationToken cancellationToken)
    {
        await stream.Output.CompleteAsync().ConfigureAwait(false);
        byte[] record = await stream.Input.ReadRecordAsync(ControlLimits.MaxRecordLength, cancellationToken).ConfigureAwait(false);
        return new StreamReceipt((long)PeerFault.Parse(Wire.StreamReceipt.Parser, record).Bytes);
    }
}
