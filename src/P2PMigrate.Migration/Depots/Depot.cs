using System.Globalization;
using System.Security.Cryptography;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Migration.Depots;

/// <summary>What of one container lies in a place: packs of content, and dumps. Does not own the place.</summary>
// spec: DEP-02
internal sealed class Depot(IObjectStore objects, ContainerName container)
{
    private const string ContentFolder = "content/", IndexFolder = "index/", DumpFolder = "dump/", Whole = "whole";

    /// <summary>What to call the place in a sentence.</summary>
    public string Place => objects.Place;

    /// <summary>The names of the packs, those without an index among them.</summary>
    public async Task<IReadOnlyList<string>> ListPacksAsync(CancellationToken cancellationToken) =>
        [.. (await objects.ListAsync(Name(ContentFolder), cancellationToken).ConfigureAwait(false)).Select(LastPart).Where(IsId)];

    /// <summary>The digests in a pack; it is read, and its index written, where there is none yet.</summary>
    // spec: DEP-11
    public async Task<IReadOnlyList<ChunkId>> ReadIndexAsync(string pack, CancellationToken cancellationToken)
    {
        if (await objects.TryReadAsync(Name(IndexFolder + pack), cancellationToken).ConfigureAwait(false) is { } index)
            return ContentPack.ReadIndex(index, NameOf(IndexFolder + pack));
        IReadOnlyList<EncodedChunk> chunks = await ReadPackAsync(pack, cancellationToken).ConfigureAwait(false);
        await WriteIndexAsync(pack, [.. chunks.Select(chunk => chunk.Id)], cancellationToken).ConfigureAwait(false);
        return [.. chunks.Select(chunk => chunk.Id)];
    }

    /// <summary>The chunks of a pack, not verified yet.</summary>
    public async Task<IReadOnlyList<EncodedChunk>> ReadPackAsync(string pack, CancellationToken cancellationToken)
    {
        byte[] content = await objects.TryReadAsync(Name(ContentFolder + pack), cancellationToken).ConfigureAwait(false)
            ?? throw Damaged(NameOf(ContentFolder + pack), "is not there any more");
        return ContentPack.Read(content, NameOf(ContentFolder + pack));
    }

    /// <summary>Adds a pack; it is in the place, and its index too, when this returns.</summary>
    // spec: DEP-10
    public async Task AddPackAsync(ReadOnlyMemory<byte> content, IReadOnlyList<ChunkId> chunks, CancellationToken cancellationToken)
    {
        string pack;
        do
        {
            pack = RandomNumberGenerator.GetHexString(32, lowercase: true);
        }
        while (!await objects.TryCreateAsync(Name(ContentFolder + pack), content, cancellationToken).ConfigureAwait(false));
        await WriteIndexAsync(pack, chunks, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Creates a part of a dump.</summary>
    public async Task AddPartAsync(JobId job, int part, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (!await objects.TryCreateAsync(PartName(job, part), content, cancellationToken).ConfigureAwait(false))
            throw new IOException($"{objects.Place} has a {PartName(job, part)} that nobody here wrote.");
    }

    /// <summary>A part of a dump; null when there is none.</summary>
    public Task<byte[]?> TryReadPartAsync(JobId job, int part, CancellationToken cancellationToken) => objects.TryReadAsync(PartName(job, part), cancellationToken);

    /// <summary>All parts are there: from now on the dump can be claimed and restored.</summary>
    // spec: DEP-22
    public Task<bool> TryCompleteDumpAsync(JobId job, int parts, CancellationToken cancellationToken) =>
        objects.TryCreateAsync(WholeName(job), System.Text.Encoding.ASCII.GetBytes(parts.ToString(CultureInfo.InvariantCulture)), cancellationToken);

    /// <summary>The dumps that are whole.</summary>
    public async Task<IReadOnlyList<JobId>> ListDumpsAsync(CancellationToken cancellationToken)
    {
        var dumps = new List<JobId>();
        foreach (string name in await objects.ListAsync(Name(DumpFolder), cancellationToken).ConfigureAwait(false))
        {
            string[] words = name.Split('/');
            if (words is [_, _, var job, Whole] && JobId.TryParse(job, out JobId id))
                dumps.Add(id);
        }

        return dumps;
    }

    /// <summary>How many parts a whole dump has.</summary>
    public async Task<int> CountPartsAsync(JobId job, CancellationToken cancellationToken)
    {
        byte[]? content = await objects.TryReadAsync(WholeName(job), cancellationToken).ConfigureAwait(false);
        return int.TryParse(content, NumberStyles.None, CultureInfo.InvariantCulture, out int parts) ? parts : throw Damaged(WholeName(job), "does not say how many parts the dump has");
    }

    /// <summary>Removes a dump's parts, the word that it is whole first; its claim stays.</summary>
    public async Task RemoveDumpAsync(JobId job, CancellationToken cancellationToken)
    {
        await objects.DeleteAsync(WholeName(job), cancellationToken).ConfigureAwait(false);
        foreach (string name in await objects.ListAsync(Name($"{DumpFolder}{job}/"), cancellationToken).ConfigureAwait(false))
            await objects.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The claim on a dump.</summary>
    public DumpClaim ClaimOf(JobId job) => new(objects, Name($"claim/{job}"));

    /// <summary>Something in the place is not what was put there.</summary>
    internal static MigrationException Damaged(string name, string what) => new(MigrationFault.ArchiveDamaged, $"{name} {what}.");

    private static string LastPart(string name) => name[(name.LastIndexOf('/') + 1)..];

    private static bool IsId(string text) => text.Length == 32 && text.All(char.IsAsciiHexDigitLower);

    private async Task WriteIndexAsync(string pack, IReadOnlyList<ChunkId> chunks, CancellationToken cancellationToken) =>
        await objects.TryCreateAsync(Name(IndexFolder + pack), ContentPack.WriteIndex(chunks), cancellationToken).ConfigureAwait(false);

    private string PartName(JobId job, int part) => Name(string.Create(CultureInfo.InvariantCulture, $"{DumpFolder}{job}/{part:d8}"));

    private string WholeName(JobId job) => Name($"{DumpFolder}{job}/{Whole}");

    private string Name(string rest) => $"{container.Value}/{rest}";

    private string NameOf(string rest) => $"{objects.Place}/{Name(rest)}";
}
