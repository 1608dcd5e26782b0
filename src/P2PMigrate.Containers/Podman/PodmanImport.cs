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
    private bool _begun;

    private PodmanImport(PodmanTool podman, PodmanArchive archive) => (_podman, _archive) = (podman, archive);

    /// <summary>So many bytes of a file tell whether it may be one of Podman's.</summary>
    public static int HeadLength => PodmanArchive.HeadLength;

    /// <summary>The container's name.</summary>
    public string Container => _archive.Name;

    /// <summary>When the archive was made.</summary>
    public DateTimeOffset CreatedAt => _archive.CreatedAt;

    /// <summary>The memory that is in it, in bytes.</summary>
    public long MemoryBytes => _archive.MemoryBytes;

    /// <summary>Does a file begin like one of Podman's?</summary>
    public static bool Recognizes(ReadOnlySpan<byte> head) => PodmanArchive.Recognizes(head);

    /// <summary>Reads the file to its end. Throws <see cref="ContainerException"/> when it is damaged or none of Podman's, <see cref="IOException"/> when it cannot be read.</summary>
    public static async Task<PodmanImport> OpenAsync(PodmanOptions options, string path, CancellationToken cancellationToken)
    {
        string file = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path); // zstd reads no symbolic links
        return new PodmanImport(new PodmanTool(options), await PodmanArchive.ReadAsync(file, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Could it run here? Changes nothing.</summary>
    public async Task<IReadOnlyList<Finding>> CheckAsync(CancellationToken cancellationToken)
    {
        PodmanDump container = _archive.Container;
        IReadOnlyList<Finding> machine = await new MachineCheck(_podman).RunAsync(cancellationToken).ConfigureAwait(false);
        if (machine.Any(finding => finding.Severity == FindingSeverity.Blocker)) return machine;
        List<Finding> findings = [.. machine, .. await PodmanCheck.RuntimeHereAsync(_podman, _archive.Runtime, cancellationToken).ConfigureAwait(false)];
        if (await _podman.InspectAsync(Container, cancellationToken).ConfigureAwait(false) is not null)
            Block("name", $"A container named {Container} exists here already.", $"Remove it: {_podman.RemovalCommand(Container)}");
        else if (await _podman.FindInStorageAsync(Container, cancellationToken).ConfigureAwait(false) is { } other)
            Block("name", $"Something named {Container} is in Podman's storage here, as a killed Podman leaves it.", $"Remove it: {_podman.RemovalCommand(other)}");
        else if (await _podman.HasAsync("container", _archive.Id, cancellationToken).ConfigureAwait(false))
            Block("number", $"A container of the number {_archive.Id} exists here already, under another name.", $"Remove it: {_podman.RemovalCommand(_archive.Id)}");
        if (container.Pod is { Length: > 0 })
            Block("pod", "The container belongs to a pod, whose network and other containers are not in the archive.", "Restore it with podman container restore --pod.");
        foreach (PodmanVolume volume in container.Volumes ?? [])
        {
            if (await _podman.HasAsync("volume", volume.Name, cancellationToken).ConfigureAwait(false))
                Block("volume", $"The volume {volume.Name}, which is in the archive, exists here already.", $"If it is not needed: podman volume rm {volume.Name}");
        }

        if (container is not { ImageId: { Length: > 0 } image, ImageName: { Length: > 0 } imageName })
            Block("image", $"The container is not made of an image but of the directory {container.Root}, which is not in the archive.", "Move it with p2pmigrate migrate or checkpoint, which take the files along.");
        else if (!await _podman.HasAsync("image", image, cancellationToken).ConfigureAwait(false) || !await _podman.HasAsync("image", imageName, cancellationToken).ConfigureAwait(false))
            Block("image", $"The image {imageName} ({image[..Math.Min(12, image.Length)]}) is not here under this name; Podman's archive has only what the container wrote over it.", $"Get the very same: podman save {imageName} where the archive was made and podman load here, or podman pull {imageName}");
        findings.AddRange(await new PodmanNetworkCheck(_podman).RunForOneAsync(_archive.NetworkAddresses, cancellationToken).ConfigureAwait(false));
        return findings;

        void Block(string subject, string message, string remedy) => findings.Add(new Finding(FindingSeverity.Blocker, subject, message, remedy));
    }

    /// <summary>
    /// Restores it; it runs when this returns. When this throws, nothing of it is left, or the message says what could not be removed. It cannot be interrupted: a killed Podman leaves what it does not know of. To be called when
    /// <see cref="CheckAsync"/> has found no blocker, by whoever keeps its name from others: what then has its name and number is taken for its own.
    /// </summary>
    public async Task RunAsync()
    {
        ObjectDisposedException.ThrowIf(_begun, this);
        _begun = true;
        try
        {
            await _podman.ImportAsync(_archive.Path).ConfigureAwait(false);
        }
        catch (ContainerException failed)
        {
            await RemoveAsync(failed).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The first reason is told, whatever comes of this.</summary>
    private async Task RemoveAsync(ContainerException failed)
    {
        try
        {
            await _podman.ForgetImportAsync(Container, _archive.Id, (_archive.Container.Volumes ?? []).Select(volume => volume.Name)).ConfigureAwait(false);
        }
        catch (ContainerException left)
        {
            throw new ContainerException($"{failed.Message} What there is of it could not be removed ({left.Message}); type: podman rm --force {Container}", inner: failed);
        }
    }
}
