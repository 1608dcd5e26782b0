using Google.Protobuf;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Transfer;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Archives;

/// <summary>What an archive says of itself before its contents.</summary>
/// <param name="Name">The container's name.</param>
/// <param name="Container">The container as it was.</param>
/// <param name="Machine">The machine on which it ran.</param>
/// <param name="RootfsBytes">What its root file system held, as far as known.</param>
/// <param name="CreatedAt">When the archive was begun.</param>
/// <param name="PageKey">The key of page names.</param>
/// <param name="WasLeftRunning">Did the container go on?</param>
// spec: ARC-10
internal sealed record ArchiveHead(
    ContainerName Name, ContainerDescription Container, MachineFacts Machine, long RootfsBytes, DateTimeOffset CreatedAt, ReadOnlyMemory<byte> PageKey, bool WasLeftRunning)
{
    private const uint Version = 1;

    /// <summary>For the file.</summary>
    public Wire.ArchiveHead ToWire()
    {
        Wire.Propose proposal = ProposalCodec.Wrap(ToProposal(JobId.Create()));
        return new Wire.ArchiveHead
        {
            Version = Version,
            Container = proposal.Container,
            Machine = proposal.Machine,
            RootfsBytes = proposal.RootfsBytes,
            CreatedUnixMs = CreatedAt.ToUnixTimeMilliseconds(),
            PageKey = ByteString.CopyFrom(PageKey.Span),
            LeftRunning = WasLeftRunning,
        };
    }

    /// <summary>From the file; bounds are those of a proposal.</summary>
    public static ArchiveHead From(byte[] record)
    {
        Wire.ArchiveHead wire = PeerFault.Parse(Wire.ArchiveHead.Parser, record);
        var claim = new Wire.Propose
        {
            Version = ControlLimits.Version,
            JobId = ByteString.CopyFrom(JobId.Create().ToBytes()),
            Container = wire.Container,
            Machine = wire.Machine,
            RootfsBytes = wire.RootfsBytes,
        };
        PeerFault.Require(wire.Version == Version, $"has a head of version {wire.Version}");
        PeerFault.Require(wire.PageKey.Length == Snapshot.Pages.PageKey.Size, "has no page key");
        Propose proposal = ProposalCodec.Unwrap(claim, out string? reason) ?? throw PeerFault.Of($"has a head that makes no sense: {reason}");
        return new ArchiveHead(
            proposal.Name, proposal.Container, proposal.Machine, proposal.RootfsBytes,
            DateTimeOffset.UnixEpoch + TimeSpan.FromMilliseconds(Math.Clamp(wire.CreatedUnixMs, 0, 1L << 48)), wire.PageKey.Memory, wire.LeftRunning);
    }

    /// <summary>The same, as a source would propose it.</summary>
    public Propose ToProposal(JobId job) => new(job, Name, Container, Machine, RootfsBytes);
}
