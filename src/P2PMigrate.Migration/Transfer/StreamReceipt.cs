using System.IO.Pipelines;
using P2PMigrate.Migration.Control;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Transfer;

/// <summary>The last record on a bulk stream, from the target: everything is stored, and applied where it is applied at once; unless it <paramref name="Lacks"/> something.</summary>
/// <param name="Bytes">Content stored, before compression.</param>
/// <param name="Lacks">Another demand follows, and in the end another receipt.</param>
// spec: MIG-21, MIG-142
internal readonly record struct StreamReceipt(long Bytes, bool Lacks = false)
{
    /// <summary>Says what is stored; when that is everything, ends this direction.</summary>
    public async ValueTask WriteAsync(PipeWriter output, CancellationToken cancellationToken)
    {
        await output.WriteRecordAsync(new Wire.StreamReceipt { Bytes = (ulong)Bytes, Lacks = Lacks }, cancellationToken).ConfigureAwait(false);
        if (!Lacks)
            await output.CompleteAsync().ConfigureAwait(false);
    }

    /// <summary>Ends our direction and waits for the target's word that it lacks nothing.</summary>
    public static async ValueTask<StreamReceipt> ReadAsync(IDuplexPipe stream, CancellationToken cancellationToken)
    {
        await stream.Output.CompleteAsync().ConfigureAwait(false);
        StreamReceipt receipt = await ReadNextAsync(stream.Input, cancellationToken).ConfigureAwait(false);
        return receipt.Lacks ? throw PeerFault.Of("lacks something that cannot be asked for") : receipt;
    }

    /// <summary>Waits for the target's word.</summary>
    public static async ValueTask<StreamReceipt> ReadNextAsync(PipeReader input, CancellationToken cancellationToken)
    {
        byte[] record = await input.ReadRecordAsync(ControlLimits.MaxRecordLength, cancellationToken).ConfigureAwait(false);
        Wire.StreamReceipt wire = PeerFault.Parse(Wire.StreamReceipt.Parser, record);
        return new StreamReceipt((long)wire.Bytes, wire.Lacks);
    }
}
