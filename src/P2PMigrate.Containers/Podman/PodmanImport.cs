using P2PMigrate.Containers.Checks;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Podman;

/// <summary>
/// Runs the container of a file of <c>podman container checkpoint --export</c> here. Podman does it; before that the file is read to its end, and what Podman would stumble over, or fetch from somewhere,
/// is looked for. Used once.
/// </summary>
// spec: ARC-24
public sealed class PodmanImport
{
    private readonly PodmanTool _podman;
    private readonly PodmanArchive _archive;

    private PodmanImport(PodmanTool podman, PodmanArchive archive) => (_podman, _archive) = (podman, archive);

    /// <summary>So many bytes of a file tell whether it may be one of Podman's.</summary>
    public static int HeadLength => PodmanArchive.HeadLength;

    /// <summary>The container's name.</summary>
    public string Container => _archive.Container.Name;

    /// <summary>When the archive was made.</summary>
    public DateTimeOffset CreatedAt => _archive.CreatedAt;

    /// <summary>The memory that is in it, in bytes.</summary>
    public long MemoryBytes => _archive.MemoryBytes;

    /// <summary>Does a file begin like one of Podman's?</summary>
    public static bool Recognizes(ReadOnlySpan<byte> head) => PodmanArchive.Recognizes(head);

    /// <summary>Reads the file to its end. Throws <see cref="ContainerException"/> when it is damaged or none of Podman's, <see cref="IOException"/> when it cannot be read.</summary>
    public static async Task<PodmanImport> OpenAsync(PodmanOptions options, string path, CancellationToken cancellationToken) =>
        new(new PodmanTool(options), await PodmanArchive.ReadAsync(Path.GetFullPath(path), cancellationToken).ConfigureAwait(false));

    /// <summary>Could it run here? Changes nothing.</summary>
    public async Task<IReadOnlyList<Finding>> CheckAsync(CancellationToken cancellationToken)
    {
        PodmanDump container = _archive.Container;
        IReadOnlyList<Finding> machine = await new MachineCheck(_podman).RunAsync(cancellationToken).ConfigureAwait(false);
        if (machine.Any(finding => finding.Severity == FindingSeverity.Blocker)) return machine;
        List<Finding> findings = [.. machine, .. await PodmanCheck.RuntimeHereAsync(_podman, container.Runtime, cancellationToken).ConfigureAwait(false)];
        if (await _podman.InspectAsync(container.Name, cancellationToken).ConfigureAwait(false) is not null)
            Block("name", $"A container named {container.Name} exists here already.", $"Remove it: {_podman.RemovalCommand(container.Name)}");
        else if (await _podman.HasAsync("container", container.Id, cancellationToken).ConfigureAwait(false))
            Block("number", $"A container of the number {container.Id} exists here already, under another name.", $"Remove it: {_podman.RemovalCommand(container.Id)}");
        if (container.ImageId.Length == 0)
            Block("image", $"The container is not made of an image but of the directory {container.Root}, which is not in the archive.", "Move it with p2pmigrate migrate or checkpoint, which take the files along.");
        else if (!await _podman.HasAsync("image", container.ImageId, cancellationToken).ConfigureAwait(false))
            Block("image", $"The image {container.ImageName} ({container.ImageId[..Math.Min(12, container.ImageId.Length)]}) is not here; Podman's archive has only what the container wrote over it.", $"Get the very same: podman save {container.ImageName} where the archive was made and podman load here, or podman pull {container.ImageName}");
        findings.AddRange(await new PodmanNetworkCheck(_podman).RunAsync(_archive.NetworkAddresses, cancellationToken).ConfigureAwait(false));
        return findings;

        void Block(string subject, string message, string remedy) => findings.Add(new Finding(FindingSeverity.Blocker, subject, message, remedy));
    }

    /// <summary>Restores it; it runs when this returns. When this throws, nothing of it is left. To be called when <see cref="CheckAsync"/> has found no blocker.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _podman.ImportAsync(_archive.Path, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await _podman.ForgetAsync(Container, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }
}
