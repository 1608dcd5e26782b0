using P2PMigrate.Snapshot.Chunks;
using P2PMigrate.Snapshot.Tests.Support;

namespace P2PMigrate.Snapshot.Tests.Chunks;

/// <summary>
/// Stores that are killed at any point, lose power, rot, are trimmed and are written by two at once. Whatever happens: a store opens, and hands out a chunk as it was or not at all; and
/// what is complete on the disk is there.
/// </summary>
[Collection<FileLocks>]
public sealed class ChunkStoreCrashTests : IDisposable
{
    private const int Chunks = 40;

    private readonly TestDirectory _directory = new();
    private readonly byte[] _content = new byte[SnapshotLimits.ChunkLength];

    public void Dispose() => _directory.Dispose();

    // spec: SNAP-106
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_store_that_crashes_and_rots_never_hands_out_anything_wrong(int seed)
    {
        var random = new Random(seed);
        byte[][] contents = [.. Enumerable.Range(0, Chunks).Select(_ => ContentOf(random))];
        for (int life = 0; life < 150; life++)
        {
            using (DirectoryChunkStore first = new(_directory.Path), second = new(_directory.Path))
            {
                for (int step = random.Next(12); step > 0; step--)
                    Use(random.Next(4) == 0 ? second : first, contents[random.Next(Chunks)], random);
                AssertSound(first, contents);
                AssertSound(second, contents);
            }

            Harm(random);
        }
    }

    /// <summary>A kill leaves a prefix of what was written, in the order it was written: payload, entry, payload, entry.</summary>
    // spec: SNAP-106
    [Fact]
    public void After_a_kill_at_any_write_all_chunks_before_it_are_there()
    {
        for (int kill = 0; kill <= 2 * 5; kill++)
        {
            string directory = _directory.Make($"kill-{kill}");
            EncodedChunk[] chunks = [.. Enumerable.Range(0, 5).Select(index => EncodedChunk.Encode([(byte)index, 1, 2, 3]))];
            using (var store = new DirectoryChunkStore(directory))
            {
                foreach (EncodedChunk chunk in chunks)
                    Assert.True(store.TryWrite(chunk, out _));
            }

            int entries = kill / 2;
            Cut(Directory.GetFiles(directory, "*.index").Single(), entries * ChunkPackEntry.Size);
            Cut(Directory.GetFiles(directory, "*.data").Single(), (kill + 1) / 2 * 4);

            using var reopened = new DirectoryChunkStore(directory);
            Assert.Equal(entries, reopened.Count);
            Assert.All(chunks.Take(entries), chunk => Assert.True(reopened.TryRead(chunk.Id, _content, out _)));
            Assert.All(chunks, chunk => Assert.True(reopened.TryWrite(chunk, out _)));
            Assert.All(chunks, chunk => Assert.True(reopened.TryRead(chunk.Id, _content, out _)));
        }
    }

    private void Use(DirectoryChunkStore store, byte[] content, Random random)
    {
        EncodedChunk chunk = EncodedChunk.Encode(content);
        if (random.Next(3) == 0)
        {
            ChunkPackFiles.Trim(_directory.Path, random.Next(3) * 100_000);
            return;
        }

        Assert.True(store.TryWrite(chunk, out string? reason), reason);
        if (store.TryRead(chunk.Id, _content, out int length))
            Assert.Equal(content, _content[..length]);
        else // what was on the disk was spoiled; this copy is not
            Assert.True(store.TryWrite(chunk, out _) && store.TryRead(chunk.Id, _content, out _));
    }

    private void AssertSound(DirectoryChunkStore store, byte[][] contents)
    {
        foreach (byte[] content in contents)
        {
            var id = ChunkId.Of(content);
            bool isListed = store.Contains(id);
            bool isRead = store.TryRead(id, _content, out int length);
            Assert.True(isListed || !isRead);
            Assert.True(isRead == store.Contains(id), "what cannot be read is not there any more");
            if (isRead)
                Assert.Equal(content, _content[..length]);
        }
    }

    private void Harm(Random random)
    {
        foreach (string path in Directory.GetFiles(_directory.Path))
        {
            int length = (int)new FileInfo(path).Length;
            switch (random.Next(12))
            {
                case 0:
                    Cut(path, random.Next(length + 1));
                    break;
                case 1 when length > 0:
                    Flip(path, random.Next(length), random);
                    break;
                case 2:
                    File.Delete(path);
                    break;
                case 3:
                    Cut(path, length + random.Next(200)); // zeros
                    break;
            }
        }
    }

    private static byte[] ContentOf(Random random)
    {
        byte[] content = new byte[random.Next(1, 30_000)];
        random.NextBytes(content.AsSpan(0, random.Next(content.Length)));
        return content;
    }

    private static void Cut(string path, long length)
    {
        using FileStream file = File.Open(path, FileMode.Open);
        file.SetLength(length);
    }

    private static void Flip(string path, int position, Random random)
    {
        using FileStream file = File.Open(path, FileMode.Open);
        file.Position = position;
        int old = file.ReadByte();
        file.Position = position;
        file.WriteByte((byte)(old ^ (1 << random.Next(8))));
    }
}
