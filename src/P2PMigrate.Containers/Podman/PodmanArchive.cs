using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Formats.Tar;
using System.Text.Json;
using System.Text.Json.Serialization;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Podman;

/// <summary>
/// A file of <c>podman container checkpoint --export</c>, read to its end once: what it says of its container, and that it is whole as far as its compression can tell. It is a tar, plain or as
/// the programs gzip and zstd write it.
/// </summary>
internal sealed record PodmanArchive(string Path, string Id, string Name, string Runtime, PodmanDump Container, IReadOnlyDictionary<string, PodmanNeighbour> Networks, DateTimeOffset CreatedAt, long MemoryBytes)
{
    /// <summary>From so many bytes on a file can be told from others.</summary>
    public const int HeadLength = 262;

    private const string Configuration = "config.dump", Specification = "spec.dump", NetworkStatus = "network.status", Inventory = "checkpoint/inventory.img", Pages = "checkpoint/pages-";
    private const int DocumentMax = 1 << 20, TarMark = 257;

    /// <summary>How a file begins that has this form. Archives of others may begin like it.</summary>
    public static bool Recognizes(ReadOnlySpan<byte> head) => Decompressor(head) is not null || IsTar(head);

    /// <summary>Reads it all; throws <see cref="ContainerException"/> when it is damaged, or no archive of Podman's.</summary>
    public static async Task<PodmanArchive> ReadAsync(string path, CancellationToken cancellationToken)
    {
        FileStream file = File.OpenRead(path);
        await using (file.ConfigureAwait(false))
        {
            byte[] head = new byte[HeadLength];
            int length = await file.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            file.Position = 0;
            if (Decompressor(head.AsSpan(0, length)) is not { } program) return await ReadTarAsync(path, file, cancellationToken).ConfigureAwait(false);
            if (!Tool.Exists(program)) throw new ContainerException($"The archive {path} is compressed by {program}, which is not here: apt-get install {program}");
            return await ReadThroughAsync(program, path, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The networks of Podman's that it was in, and its addresses there.</summary>
    public IEnumerable<(string Name, IReadOnlyList<string> Addresses)> NetworkAddresses =>
        from network in Networks
        let links = network.Value.Interfaces?.Values ?? []
        select (network.Key, (IReadOnlyList<string>)[.. links.SelectMany(link => link.Subnets ?? []).Select(own => own.Address.Split('/')[0])]);

    /// <summary>In a session of its own: a terminal's interrupt is for us, and must not look like damage.</summary>
    private static async Task<PodmanArchive> ReadThroughAsync(string program, string path, CancellationToken cancellationToken)
    {
        using Process process = Process.Start(new ProcessStartInfo("setsid", ["--wait", program, "-dcq", "--", path]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            Task<string> complaint = process.StandardError.ReadToEndAsync(cancellationToken);
            ContainerException? odd = null;
            PodmanArchive? archive = null;
            try
            {
                archive = await ReadTarAsync(path, process.StandardOutput.BaseStream, cancellationToken).ConfigureAwait(false);
            }
            catch (ContainerException form)
            {
                odd = form;
                await process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false);
            }

            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            if (process.ExitCode == 0) return archive ?? throw odd!;
            string said = (await complaint.ConfigureAwait(false)).Trim();
            throw Damaged(path, said.Length > 0 ? $"{program} says: {said}" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{program} ended with {process.ExitCode}."));
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    private static string? Decompressor(ReadOnlySpan<byte> head) =>
        head.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b, 0x08]) ? "gzip" : head.StartsWith((ReadOnlySpan<byte>)[0x28, 0xb5, 0x2f, 0xfd]) ? "zstd" : null;

    private static bool IsTar(ReadOnlySpan<byte> head) => head.Length >= HeadLength && head[TarMark..].StartsWith("ustar"u8);

    private static async Task<PodmanArchive> ReadTarAsync(string path, Stream content, CancellationToken cancellationToken)
    {
        PodmanDump? container = null;
        Dictionary<string, PodmanNeighbour> networks = [];
        bool hasSpecification = false, hasInventory = false;
        DateTimeOffset created = default;
        long memory = 0;
        try
        {
            var tar = new TarReader(content, leaveOpen: true);
            await using (tar.ConfigureAwait(false))
            {
                while (await tar.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false) is { } entry)
                {
                    switch (entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name)
                    {
                        case Configuration:
                            container = await ReadAsync(entry, PodmanJson.Default.PodmanDump, cancellationToken).ConfigureAwait(false);
                            created = entry.ModificationTime;
                            break;
                        case NetworkStatus: networks = await ReadAsync(entry, PodmanJson.Default.DictionaryStringPodmanNeighbour, cancellationToken).ConfigureAwait(false) ?? []; break;
                        case Specification: hasSpecification = true; break;
                        case Inventory: hasInventory = true; break;
                        case var name when name.StartsWith(Pages, StringComparison.Ordinal): memory += entry.Length; break;
                    }
                }
            }

            if (content.CanSeek) content.Position = 0; // what was skipped is read as well
            await content.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception bad) when (bad is not (OperationCanceledException or ContainerException) && (bad is EndOfStreamException or not IOException))
        {
            throw Damaged(path, bad.Message); // the reader of tars has many words for it
        }

        if (container is not { IsPlausible: true } || !networks.All(network => PodmanDump.IsName(network.Key) && network.Value is not null) || !hasSpecification || !hasInventory)
            throw new ContainerException($"{path} is an archive, but neither of `p2pmigrate checkpoint` nor of `podman container checkpoint --export`, or it is not whole.");
        return new PodmanArchive(path, container.Id, container.Name, container.Runtime, container, networks, created, memory);
    }

    private static async Task<T?> ReadAsync<T>(TarEntry entry, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        entry is { Length: > 0 and <= DocumentMax, DataStream: { } text } ? await JsonSerializer.DeserializeAsync(text, type, cancellationToken).ConfigureAwait(false) : throw new InvalidDataException($"{entry.Name} is of no sensible length.");

    private static ContainerException Damaged(string path, string how) => new($"The archive {path} is damaged: {how}");
}

/// <summary>What Podman's archive says of its container, as far as a restore looks into it.</summary>
internal sealed record PodmanDump
{
    private const int IdLength = 64;

    [JsonPropertyName("id")]
    public string? Id { get; init; }

    [JsonPropertyName("name")]
    public string? Name { get; init; }

    [JsonPropertyName("rootfsImageID")]
    public string? ImageId { get; init; }

    [JsonPropertyName("rootfsImageName")]
    public string? ImageName { get; init; }

    /// <summary>The directory that is its root file system, where it is made of no image.</summary>
    [JsonPropertyName("rootfs")]
    public string? Root { get; init; }

    [JsonPropertyName("runtime")]
    public string? Runtime { get; init; }

    [JsonPropertyName("pod")]
    public string? Pod { get; init; }

    [JsonPropertyName("namedVolumes")]
    public IReadOnlyList<PodmanVolume>? Volumes { get; init; }

    /// <summary>Are its names such as Podman gives? They become words of command lines.</summary>
    [JsonIgnore]
    [MemberNotNullWhen(true, nameof(Id), nameof(Name), nameof(Runtime))]
    public bool IsPlausible => Id is { Length: IdLength } && Id.All(char.IsAsciiHexDigitLower) && Name is not null && IsName(Name) && Runtime is not null && !Runtime.Any(char.IsControl)
        && (ImageId ?? "").All(char.IsAsciiHexDigitLower) && (ImageName ?? "").All(letter => char.IsAsciiLetterOrDigit(letter) || "._-/:@".Contains(letter, StringComparison.Ordinal))
        && !(Root ?? "").Any(char.IsControl)
        && (Volumes ?? []).All(volume => volume is { Name: not null } && IsName(volume.Name));

    /// <summary>May Podman call a container, or a network, so?</summary>
    public static bool IsName(string name) =>
        name.Length > 0 && char.IsAsciiLetterOrDigit(name[0]) && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '.' or '-');
}

/// <summary>A volume in Podman's archive.</summary>
internal sealed record PodmanVolume
{
    [JsonPropertyName("volumeName")]
    public string Name { get; init; } = "";
}
