using System.Buffers;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Jobs;

/// <summary>One question to a target, whether a container could come, what became of one or whether its place may be used, and its answer: one record each way on a stream of its own. Nothing is changed by it.</summary>
// spec: MIG-170, MIG-190, DEP-50
internal static class Question
{
    /// <summary>Asks over <paramref name="stream"/>, which the caller owns. Throws <see cref="MigrationException"/> when what comes back is no answer.</summary>
    public static async Task<TAnswer> AskAsync<TAnswer>(ITunnelStream stream, ControlMessage question, CancellationToken cancellationToken)
        where TAnswer : ControlMessage
    {
        await WriteAsync(stream, question, cancellationToken).ConfigureAwait(false);
        return await ReadAsync(stream, cancellationToken).ConfigureAwait(false) as TAnswer ?? throw PeerFault.Of("answered a question with something else");
    }

    /// <summary>Reads a question of <paramref name="peer"/> from <paramref name="stream"/>, which the caller owns.</summary>
    public static async Task<TargetQuestion> ReadAsync(ITunnelStream stream, string peer, TargetCheck check, JobFates fates, CancellationToken cancellationToken)
    {
        ControlMessage asked = await ReadAsync(stream, cancellationToken).ConfigureAwait(false);
        DateTimeOffset arrived = check.Now; // its turn to be answered may be later
        return asked switch
        {
            Propose proposal => new TargetQuestion(stream, QuestionSubject.Container, async stop => new Answer(await check.AskAsync(proposal, arrived, stop).ConfigureAwait(false))),
            Inquiry inquiry => new TargetQuestion(stream, QuestionSubject.Fate, _ => Task.FromResult<ControlMessage>(new Fate(fates.Of(inquiry.JobId, peer)))) { Job = inquiry.JobId },
            PlaceAsked => new TargetQuestion(stream, QuestionSubject.Place, _ => Task.FromResult<ControlMessage>(new PlaceOpened())),
            _ => throw PeerFault.Of("asked nothing that can be answered"),
        };
    }

    /// <summary>One record, the last of our direction.</summary>
    public static async Task WriteAsync(ITunnelStream stream, ControlMessage message, CancellationToken cancellationToken)
    {
        await stream.Output.WriteRecordAsync(ControlCodec.Encode(message), cancellationToken).ConfigureAwait(false);
        await stream.Output.CompleteAsync().ConfigureAwait(false);
    }

    private static async Task<ControlMessage> ReadAsync(ITunnelStream stream, CancellationToken cancellationToken)
    {
        byte[] record = await stream.Input.ReadRecordAsync(ControlLimits.MaxMessageLength, cancellationToken).ConfigureAwait(false);
        return ControlCodec.TryDecode(new ReadOnlySequence<byte>(record), out ControlMessage? message, out string? reason)
            ? message : throw PeerFault.Of($"sent what is no message: {reason}");
    }
}
