using System.Buffers;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Jobs;

/// <summary>One question to a target, whether a container could come, and its answer: one record each way on a stream of its own. Nothing is changed by it.</summary>
// spec: MIG-170
internal static class Question
{
    /// <summary>Asks over <paramref name="stream"/>, which the caller owns. Throws <see cref="MigrationException"/> when what comes back is no answer.</summary>
    public static async Task<IReadOnlyList<Finding>> AskAsync(ITunnelStream stream, Propose proposal, CancellationToken cancellationToken)
    {
        await stream.Output.WriteRecordAsync(ControlCodec.Encode(proposal), cancellationToken).ConfigureAwait(false);
        await stream.Output.CompleteAsync().ConfigureAwait(false);
        return await ReadAsync(stream, cancellationToken).ConfigureAwait(false) is Answer answer ? answer.Findings : throw PeerFault.Of("answered a question with something else");
    }

    /// <summary>Reads a question from <paramref name="stream"/>, which the caller owns, and answers it.</summary>
    public static async Task AnswerAsync(ITunnelStream stream, TargetCheck check, CancellationToken cancellationToken)
    {
        if (await ReadAsync(stream, cancellationToken).ConfigureAwait(false) is not Propose proposal)
            throw PeerFault.Of("asked nothing that can be answered");
        IReadOnlyList<Finding> findings = await check.AskAsync(proposal, cancellationToken).ConfigureAwait(false);
        await stream.Output.WriteRecordAsync(ControlCodec.Encode(new Answer(findings)), cancellationToken).ConfigureAwait(false);
        await stream.Output.CompleteAsync().ConfigureAwait(false);
    }

    private static async Task<ControlMessage> ReadAsync(ITunnelStream stream, CancellationToken cancellationToken)
    {
        byte[] record = await stream.Input.ReadRecordAsync(ControlLimits.MaxMessageLength, cancellationToken).ConfigureAwait(false);
        return ControlCodec.TryDecode(new ReadOnlySequence<byte>(record), out ControlMessage? message, out string? reason)
            ? message : throw PeerFault.Of($"sent what is no message: {reason}");
    }
}
