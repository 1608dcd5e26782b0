using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace P2PMigrate.Snapshot.Chunks;

/// <summary>
/// What a target wants of a catalogue: the chunks that its store lacks. Travels as one bit for each chunk of the
/// catalogue, which the source has made of the same entries. Immutable. Chapter 10, section 6.
/// </summary>
public sealed class ChunkDemand
{
    private readonly BitArray _wanted;

    private ChunkDemand(ChunkCatalogue catalogue, BitArray wanted, bool takesZstd)
    {
        Catalogue = catalogue;
        _wanted = wanted;
        TakesZstd = takesZstd;
    }

    /// <summary>What the demand speaks of.</summary>
    public ChunkCatalogue Catalogue { get; }

    /// <summary>May a batch be a <see cref="ZstdBatch"/>? Old targets do not know what that is.</summary>
    // spec: SNAP-113
    public bool TakesZstd { get; }

    /// <summary>How many chunks are wanted.</summary>
    public int Count => Wanted.Count();

    /// <summary>Bytes of content that are wanted, before compression.</summary>
    public long Length => Wanted.Sum(location => (long)location.Length);

    /// <summary>The wanted chunks, in order of first use: the order to send them in.</summary>
    public IEnumerable<ChunkLocation> Wanted => Catalogue.Chunks.Where((_, index) => _wanted[index]);

    /// <summary>What <paramref name="store"/> lacks of <paramref name="catalogue"/>; <paramref name="takesZstd"/> of a target that reads a <see cref="ZstdBatch"/> too.</summary>
    public static ChunkDemand Of(ChunkCatalogue catalogue, IChunkStore store, bool takesZstd = false)
    {
        BitArray wanted = new(catalogue.Chunks.Length);
        for (int index = 0; index < wanted.Length; index++)
            wanted[index] = !store.Contains(catalogue.Chunks[index].Chunk);
        return new ChunkDemand(catalogue, wanted, takesZstd);
    }

    /// <summary>What this demand took for present and <paramref name="store"/> cannot read: to be asked for again. Reads all of it.</summary>
    public ChunkDemand OfSpoiled(IChunkStore store)
    {
        byte[] content = new byte[SnapshotLimits.ChunkLength];
        BitArray spoiled = new(_wanted.Length);
        for (int index = 0; index < spoiled.Length; index++)
            spoiled[index] = !_wanted[index] && !store.TryRead(Catalogue.Chunks[index].Chunk, content, out _);
        return new ChunkDemand(Catalogue, spoiled, TakesZstd);
    }

    /// <summary>The message <c>ChunkDemand</c> of <c>snapshot.proto</c>.</summary>
    public byte[] Serialize()
    {
        byte[] bits = new byte[(_wanted.Length + 7) / 8];
        _wanted.CopyTo(bits, 0);
        return new Messages.ChunkDemand { CatalogueCount = (uint)_wanted.Length, Wanted = ByteString.CopyFrom(bits), TakesZstd = TakesZstd }.ToByteArray();
    }

    /// <summary>
    /// Reads what the target wants of <paramref name="catalogue"/>. Never throws on what it reads; false, with a reason,
    /// when the message does not speak of a catalogue like this one.
    /// </summary>
    public static bool TryParse(
        ReadOnlySpan<byte> bytes,
        ChunkCatalogue catalogue,
        [NotNullWhen(true)] out ChunkDemand? demand,
        [NotNullWhen(false)] out string? reason)
    {
        demand = null;
        try
        {
            reason = TryRead(Messages.ChunkDemand.Parser.ParseFrom(bytes), catalogue, out demand);
        }
        catch (InvalidProtocolBufferException exception)
        {
            reason = $"the demand is no protobuf message: {exception.Message}";
        }

        return demand is not null;
    }

    private static string? TryRead(Messages.ChunkDemand message, ChunkCatalogue catalogue, out ChunkDemand? demand)
    {
        // spec: SNAP-61
        demand = null;
        int count = catalogue.Chunks.Length;
        if (message.CatalogueCount != count || message.Wanted.Length != (count + 7) / 8)
            return "the demand speaks of another catalogue";

        BitArray bits = new(message.Wanted.ToByteArray());
        for (int index = count; index < bits.Length; index++)
        {
            if (bits[index])
                return "the demand wants chunks behind the end of the catalogue";
        }

        demand = new ChunkDemand(catalogue, new BitArray(bits) { Length = count }, message.TakesZstd);
        return null;
    }
}
