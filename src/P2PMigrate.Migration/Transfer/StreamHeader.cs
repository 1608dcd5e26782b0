using System.IO.Pipelines;
using Google.Protobuf;
using P2PMigrate.Migration.Control;
using P2PMigrate.Tunnel;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Transfer;

/// <summary>What a bulk stream carries.</summary>
internal enum ContentKind
{
    /// <summary>A round of the root file system.</summary>
    Rootfs = 1,

    /// <summary>Memory pages.</summary>
    Memory = 2,

    /// <summary>CRIU's other images.</summary>
    Images = 3,

    /// <summary>Memory pages, ahead of the freeze.</summary>
    LiveMemory = 4,

    /// <summary>Memory pages that the dump left for later.</summary>
    LateMemory = 5,

    /// <summary>Such pages, one by one, as they are asked for.</summary>
    WantedMemory = 6,
}

/// <summary>The first record of every bulk stream.</summary>
/// <param name="JobId">The job it belongs to.</param>
/// <param name="Kind">What follows.</param>
/// <param name="Round">The round, for <see cref="ContentKind.Rootfs"/> and <see cref="ContentKind.LiveMemory"/>.</param>
/// <param name="IsFinal">Is the container frozen? For <see cref="ContentKind.Rootfs"/>.</param>
/// <param name="IsWhole">Does the demand speak of the whole manifest's chunks? For <see cref="ContentKind.Rootfs"/>.</param>
/// <param name="PageKey">The key of page names, for all that is memory and not asked for page by page.</param>
/// <param name="AnswersLacks">May the target ask for more behind a receipt? For <see cref="ContentKind.Rootfs"/>.</param>
// spec: MIG-20
internal readonly record struct StreamHeader(
    JobId JobId, ContentKind Kind, int Round = 0, bool IsFinal = false, bool IsWhole = false, ReadOnlyMemory<byte> PageKey = default,
    bool AnswersLacks = false)
{
    /// <summary>Opens a bulk stream and says what it carries.</summary>
    public async ValueTask<ITunnelStream> OpenAsync(ITunnelSession session, CancellationToken cancellationToken)
    {
        var wire = new Wire.StreamHeader
        {
            JobId = ByteString.CopyFrom(JobId.ToBytes()),
            Kind = (Wire.StreamKind)Kind,
            Round = (uint)Round,
            IsFinal = IsFinal,
            WholeCatalogue = IsWhole,
            PageKey = ByteString.CopyFrom(PageKey.Span),
            AnswersLacks = AnswersLacks,
        };
        StreamPriority priority = Kind == ContentKind.WantedMemory ? StreamPriority.Urgent : StreamPriority.Bulk;
        ITunnelStream stream = await session.OpenStreamAsync(priority, cancellationToken).ConfigureAwait(false);
        await stream.Output.WriteRecordAsync(wire, cancellationToken).ConfigureAwait(false);
        return stream;
    }

    /// <summary>Reads what an incoming stream carries.</summary>
    public static async ValueTask<StreamHeader> ReadAsync(PipeReader input, CancellationToken cancellationToken)
    {
        byte[] record = await input.ReadRecordAsync(ControlLimits.MaxRecordLength, cancellationToken).ConfigureAwait(false);
        Wire.StreamHeader wire = PeerFault.Parse(Wire.StreamHeader.Parser, record);
        PeerFault.Require(JobId.TryParse(wire.JobId.Span, out JobId job), "opened a stream for no job");
        PeerFault.Require(wire.Kind is >= Wire.StreamKind.Rootfs and <= Wire.StreamKind.WantedMemory, "opened a stream of an unknown kind");
        PeerFault.Require(wire.Round < ControlLimits.MaxRounds, "sent too many rounds");
        return new StreamHeader(job, (ContentKind)wire.Kind, (int)wire.Round, wire.IsFinal, wire.WholeCatalogue, wire.PageKey.Memory, wire.AnswersLacks);
    }
}
