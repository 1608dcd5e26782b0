using P2PMigrate.Migration.Archives;

namespace P2PMigrate.Migration.Tests.Archives;

/// <summary>Nothing runs from an archive that is not what was written.</summary>
public sealed class DamagedArchiveTests
{
    [Fact]
    [Trait("Spec", "ARC-03")]
    public async Task A_bit_that_flipped_anywhere_is_found_and_nothing_is_left()
    {
        await using var rig = new ArchiveRig();
        await rig.CheckpointAsync();
        byte[] archive = await File.ReadAllBytesAsync(rig.File, TestContext.Current.CancellationToken);

        foreach (int place in PlacesIn(archive))
        {
            archive[place] ^= (byte)(1 << (place % 8));
            await AssertRefusedAsync(rig, archive, place);
            archive[place] ^= (byte)(1 << (place % 8));
        }

        await rig.RestoredAsync(new MemoryStream(archive));
    }

    [Fact]
    [Trait("Spec", "ARC-13")]
    public async Task An_archive_that_is_cut_short_is_refused_wherever_it_ends()
    {
        await using var rig = new ArchiveRig();
        await rig.CheckpointAsync();
        byte[] archive = await File.ReadAllBytesAsync(rig.File, TestContext.Current.CancellationToken);

        foreach (int length in PlacesIn(archive))
            await AssertRefusedAsync(rig, archive[..length], length);
        await AssertRefusedAsync(rig, [.. archive, 0], archive.Length);
    }

    [Fact]
    public async Task What_is_no_archive_is_said_to_be_none()
    {
        await using var rig = new ArchiveRig();

        var failed = Assert.IsType<MigrationFailed>(await rig.RestoreAsync(new MemoryStream("a letter from home"u8.ToArray())));

        Assert.Contains("no archive", failed.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(ArchiveBlocks.BlockLength - 1)]
    [InlineData(ArchiveBlocks.BlockLength)]
    [InlineData((2 * ArchiveBlocks.BlockLength) + 17)]
    [Trait("Spec", "ARC-01")]
    public async Task What_was_written_into_blocks_is_read_from_them(int length)
    {
        byte[] content = new byte[length];
        new Random(length).NextBytes(content);
        var file = new MemoryStream();
        await using (var writer = new ArchiveBlockWriter(file))
        {
            await writer.WriteAsync(content, TestContext.Current.CancellationToken);
            await writer.FinishAsync(TestContext.Current.CancellationToken);
        }

        file.Position = 0;
        await using var reader = new ArchiveBlockReader(file);
        var read = new MemoryStream();
        await reader.CopyToAsync(read, TestContext.Current.CancellationToken);

        Assert.Equal(content, read.ToArray());
        Assert.True(await reader.TryReachEndAsync(TestContext.Current.CancellationToken));
    }

    private static async Task AssertRefusedAsync(ArchiveRig rig, byte[] archive, int place)
    {
        var failed = Assert.IsType<MigrationFailed>(await rig.RestoreAsync(new MemoryStream(archive)));
        Assert.True(failed.RunningAt == ContainerSide.None && rig.World.TargetCopy is null, $"at {place}");
        Assert.Contains("archive", failed.Reason, StringComparison.Ordinal);
        Assert.Empty(rig.World.Leftovers());
        Assert.Empty(Directory.EnumerateFileSystemEntries(rig.World.Target.Environment.State.Containers));
    }

    /// <summary>The beginning and the end byte by byte, and places all over what is between.</summary>
    private static IEnumerable<int> PlacesIn(byte[] archive) =>
        Enumerable.Range(0, 48)
            .Concat(Enumerable.Range(0, 60).Select(part => (int)((long)part * (archive.Length - 1) / 60)))
            .Concat(Enumerable.Range(archive.Length - 80, 80))
            .Where(place => place >= 0 && place < archive.Length)
            .Distinct().Order();
}
