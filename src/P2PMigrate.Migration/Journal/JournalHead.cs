using System.Net;
using P2PMigrate.Migration.Control;
using P2PMigrate.Protocol.Identity;
using Wire = P2PMigrate.Migration.Messages;

namespace P2PMigrate.Migration.Journal;

/// <summary>Which side of a job a journal belongs to.</summary>
internal enum JobRole
{
    /// <summary>The container leaves.</summary>
    Source = 1,

    /// <summary>The container arrives.</summary>
    Target = 2,
}

/// <summary>What a job is part of; the numbers are those of the journal.</summary>
internal enum JobKind
{
    /// <summary>A migration between two peers that talk to each other.</summary>
    Migration = 0,

    /// <summary>A checkpoint into an archive, or a restore out of one.</summary>
    Archive = 1,

    /// <summary>A stage: a dump in a depot.</summary>
    Stage = 2,
}

/// <summary>
/// What recovery must know about a job and never changes. Directories of the job are not in it: they follow from the state
/// directory, the job id and the name.
/// </summary>
/// <param name="JobId">The job.</param>
/// <param name="Role">Our side.</param>
/// <param name="Container">The container's name.</param>
/// <param name="Runtime">The runtime's name.</param>
/// <param name="BundlePath">At the source, the bundle the container runs from.</param>
/// <param name="RootPath">At the source, its root file system.</param>
/// <param name="Peer">The peer's id.</param>
/// <param name="CreatedAt">When the job began.</param>
internal sealed record JournalHead(
    JobId JobId, JobRole Role, ContainerName Container, string Runtime, string BundlePath, string RootPath, string Peer, DateTimeOffset CreatedAt)
{
    /// <summary>Most characters in the name of a place.</summary>
    public const int PlaceLengthMax = 1024;

    /// <summary>What the job is part of.</summary>
    public JobKind Kind { get; init; }

    /// <summary>Of a stage: the place of the depot, as the user may type it.</summary>
    public string Place { get; init; } = "";

    /// <summary>Of a stage: the job that made the dump.</summary>
    public JobId? Dump { get; init; }

    /// <summary>Of a migration: how the peer is met again; null in journals of programs that did not know that.</summary>
    // spec: MIG-193
    public PeerContact? Contact { get; init; }

    /// <summary>For the file.</summary>
    public Wire.JournalHead ToWire() => new()
    {
        JobId = Google.Protobuf.ByteString.CopyFrom(JobId.ToBytes()),
        Role = Role == JobRole.Source ? Wire.Role.Source : Wire.Role.Target,
        Container = Container.Value,
        Runtime = Runtime,
        BundlePath = WireText.Fit(BundlePath),
        RootPath = WireText.Fit(RootPath),
        Peer = WireText.Fit(Peer, ControlLimits.MaxWordLength),
        CreatedUnixMs = CreatedAt.ToUnixTimeMilliseconds(),
        Kind = (Wire.JobKind)Kind,
        Place = WireText.Fit(Place, PlaceLengthMax),
        Dump = Dump is { } dump ? Google.Protobuf.ByteString.CopyFrom(dump.ToBytes()) : Google.Protobuf.ByteString.Empty,
        PeerKey = Contact is { } peer ? Google.Protobuf.ByteString.CopyFrom(peer.Key.Bytes) : Google.Protobuf.ByteString.Empty,
        Rendezvous = Contact?.Rendezvous?.ToString() ?? "",
        Addresses = { (Contact?.Addresses ?? []).Select(address => address.ToString()) },
    };

    /// <summary>From the file; null when it makes no sense.</summary>
    public static JournalHead? From(Wire.JournalHead wire) =>
        JobId.TryParse(wire.JobId.Span, out JobId job)
        && wire.Role is Wire.Role.Source or Wire.Role.Target
        && ContainerName.TryParse(wire.Container, out ContainerName container)
            ? new JournalHead(
                job, (JobRole)wire.Role, container, wire.Runtime, wire.BundlePath, wire.RootPath, wire.Peer,
                DateTimeOffset.UnixEpoch + TimeSpan.FromMilliseconds(wire.CreatedUnixMs))
            {
                Kind = (JobKind)wire.Kind,
                Place = wire.Place,
                Dump = JobId.TryParse(wire.Dump.Span, out JobId dump) ? dump : null,
                Contact = ContactOf(wire),
            }
            : null;

    private static PeerContact? ContactOf(Wire.JournalHead wire) => !PublicIdentity.TryCreate(wire.PeerKey.Span, out PublicIdentity? key) ? null : new PeerContact(
        key,
        ServerName.TryParse(wire.Rendezvous, out ServerName server) ? server : null,
        [.. wire.Addresses.Select(text => IPEndPoint.TryParse(text, out IPEndPoint? address) ? address : null).OfType<IPEndPoint>()]);
}
