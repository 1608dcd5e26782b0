using System.Globalization;
using System.Security.Cryptography;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Chunks;

namespace P2PMigrate.Migration.Depots;

/// <summary>What of one container lies in a place: packs of content, and dumps. Does not own the place.</summary>
// spec: DEP-02
internal sealed class Depot(IObjectStore place, ContainerName container)
{
    private const string ContentFolder = "content/", IndexFolder = "index/", DumpFolder = "dump/", Whole = "whole";

    private readonly TimedObjectStore _objects = new(place);

    /// <summary>What to call the place in a sentence.</summary>
    public string Place => place.Place;

    /// <summary>The names of the packs, those without an index among them.</summary>
    public async Task<IReadOnlyList<string>> ListPacksAsync(CancellationToken cancellationToken) =>
        [
            .. (await _objects.ListAsync(Name(ContentFolder), cancellationToken).ConfigureAwait(false))
                .Select(name => name[Name(ContentFolder).Length..]).Where(IsId),
        ];

    /// <summary>The digests in a pack, out of its index or, where that was not written, out of the pack itself.</summary>
    public async Task<IReadOnlyList<ChunkId>> ReadIndexAsync(string pack, CancellationToken cancellationToken)
    {
        if (await _objects.TryReadAsync(Name(IndexFolder + pack), cancellationToken).ConfigureAwait(false) is { } index)
            return ContentPack.ReadIndex(index, NameOf(IndexFolder + pack));
        return [.. (await ReadPackAsync(pack, cancellationToken).ConfigureAwait(false)).Select(chunk => chunk.Id)];
    }

    /// <summary>For whoever pushes: the chunks that need not be sent. A pack without an index gets one, if it is good.</summary>
    // spec: DEP-11
    public async Task<HashSet<ChunkId>> KnownAsync(CancellationToken cancellationToken)
    {
        HashSet<string> indexed = [.. (await _objects.ListAsync(Name(IndexFolder), cancellationToken).ConfigureAwait(false)).Select(name => name[Name(IndexFolder).Length..])];
        var known = new HashSet<ChunkId>();
        foreach (string pack in await ListPacksAsync(cancellationToken).ConfigureAwait(false))
        {
            if (!indexed.Contains(pack))
                await AddIndexAsync(pack, cancellationToken).ConfigureAwait(false);
            known.UnionWith(await ReadIndexAsync(pack, cancellationToken).ConfigureAwait(false));
        }

        return known;
    }

    /// <summary>The chunks of a pack, not verified yet.</summary>
    public async Task<IReadOnlyList<EncodedChunk>> ReadPackAsync(string pack, CancellationToken cancellationToken)
    {
        byte[] content = await _objects.TryReadLongAsync(Name(ContentFolder + pack), cancellationToken).ConfigureAwait(false)
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
        while (!await _objects.TryCreateAsync(Name(ContentFolder + pack), content, cancellationToken).ConfigureAwait(false));
        await WriteIndexAsync(pack, chunks, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Creates a part of a dump.</summary>
    public async Task AddPartAsync(JobId job, int part, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (!await _objects.TryCreateAsync(PartName(job, part), content, cancellationToken).ConfigureAwait(false))
            throw new IOException($"{Place} has a {PartName(job, part)} that nobody here wrote.");
    }

    /// <summary>A part of a dump; null when there is none.</summary>
    public Task<byte[]?> TryReadPartAsync(JobId job, int part, CancellationToken cancellationToken) => _objects.TryReadLongAsync(PartName(job, part), cancellationToken);

    /// <summary>All parts are there: from now on the dump can be claimed and restored. It relies on the content of <paramref name="packs"/>.</summary>
    // spec: DEP-22
    public async Task CompleteDumpAsync(JobId job, int parts, IReadOnlyList<string> packs, CancellationToken cancellationToken) =>
        await _objects.TryCreateAsync(WholeName(job), DumpContents.Write(parts, packs), cancellationToken).ConfigureAwait(false);

    /// <summary>The dumps that are whole.</summary>
    public async Task<IReadOnlyList<JobId>> ListDumpsAsync(CancellationToken cancellationToken)
    {
        var dumps = new List<JobId>();
        foreach (string name in await _objects.ListAsync(Name(DumpFolder), cancellationToken).ConfigureAwait(false))
        {
            string[] words = name.Split('/');
            if (words is [_, _, var job, Whole] && JobId.TryParse(job, out JobId id))
                dumps.Add(id);
        }

        return dumps;
    }

    /// <summary>What a whole dump consists of.</summary>
    public async Task<DumpContents> ReadDumpAsync(JobId job, CancellationToken cancellationToken) =>
        DumpContents.TryRead(await _objects.TryReadAsync(WholeName(job), cancellationToken).ConfigureAwait(false))
        ?? throw Damaged($"{Place}/{WholeName(job)}", "does not say what the dump consists of");

    /// <summary>
    /// For the source, which wants its container back: false when the target has it. Throws <see cref="PlaceException"/> where nothing of the dump is seen: that is another place, and a claim in it
    /// would be seen by nobody.
    /// </summary>
    // spec: DEP-24
    public async Task<bool> TryTakeBackAsync(JobId job, CancellationToken cancellationToken)
    {
        DumpClaim claim = ClaimOf(job);
        bool isItsPlace = await claim.OwnerAsync(cancellationToken).ConfigureAwait(false) != ContainerSide.None
            || (await _objects.ListAsync(Name($"{DumpFolder}{job}/"), cancellationToken).ConfigureAwait(false)).Count > 0;
        return isItsPlace
            ? await claim.TryTakeForSourceAsync(cancellationToken).ConfigureAwait(false)
            : throw new PlaceException($"{Place} has nothing of the dump {job} of '{container}'. Mount, or bring, the place that has it.");
    }

    /// <summary>Removes a dump's parts, the word that it is whole first; its claim stays.</summary>
    public async Task RemoveDumpAsync(JobId job, CancellationToken cancellationToken)
    {
        await _objects.DeleteAsync(WholeName(job), cancellationToken).ConfigureAwait(false);
        foreach (string name in await _objects.ListAsync(Name($"{DumpFolder}{job}/"), cancellationToken).ConfigureAwait(false))
            await _objects.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The claim on a dump.</summary>
    public DumpClaim ClaimOf(JobId job) => new(_objects, Name($"claim/{job}"));

    /// <summary>Something in the place is not what was put there.</summary>
    internal static MigrationException Damaged(string name, string what) => new(
        MigrationFault.ArchiveDamaged, $"{name} {what}. If it is content, remove it and its index, and push again; if it is part of a dump, take the container back: -s unfreeze, at the source.");

    /// <summary>Is it the id of a pack?</summary>
    internal static bool IsId(string text) => text.Length == 32 && text.All(char.IsAsciiHexDigitLower);

    private async Task AddIndexAsync(string pack, CancellationToken cancellationToken)
    {
        IReadOnlyList<EncodedChunk> chunks = await ReadPackAsync(pack, cancellationToken).ConfigureAwait(false);
        byte[] content = new byte[SnapshotLimits.ChunkLength];
        foreach (EncodedChunk chunk in chunks)
        {
            if (!chunk.TryDecode(content, out string? reason))
                throw Damaged(NameOf(ContentFolder + pack), $"is damaged: {reason}");
        }

        await WriteIndexAsync(pack, [.. chunks.Select(chunk => chunk.Id)], cancellationToken).ConfigureAwait(false);
    }

    private async Task WriteIndexAsync(string pack, IReadOnlyList<ChunkId> chunks, CancellationToken cancellationToken) =>
        await _objects.TryCreateAsync(Name(IndexFolder + pack), ContentPack.WriteIndex(chunks), cancellationToken).ConfigureAwait(false);

    private string PartName(JobId job, int part) => Name(string.Create(CultureInfo.InvariantCulture, $"{DumpFolder}{job}/{part:d8}"));

    private string WholeName(JobId job) => Name($"{DumpFolder}{job}/{Whole}");

    private string Name(string rest) => $"{container.Value}/{rest}";

    private string NameOf(string rest) => $"{Place}/{Name(rest)}";
}
