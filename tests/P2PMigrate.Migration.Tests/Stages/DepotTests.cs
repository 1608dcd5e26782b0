using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Stages;
using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Stages;

/// <summary>What lies in a place: content that is sent once, and found when it is damaged.</summary>
public sealed class DepotTests
{
    private static readonly CancellationToken NoHurry = TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Spec", "DEP-11")]
    public async Task A_push_that_was_interrupted_goes_on_where_it_ended()
    {
        await using var rig = new StageRig();
        rig.Fill(megabytes: 40);
        int packs = 0;
        rig.Place.Creating = name =>
        {
            if (name.Contains("/content/", StringComparison.Ordinal) && ++packs == 4)
                throw new IOException("The line is cut.");
        };
        await Assert.ThrowsAsync<PlaceException>(rig.PrepareDataAsync);
        long before = rig.Place.CreatedBytes;
        rig.Place.Creating = null;

        ContentPushedIs(await rig.PrepareDataAsync(), rig, before);
        Assert.Equal(0, (await rig.PrepareDataAsync()).PushedBytes);
    }

    [Fact]
    [Trait("Spec", "DEP-11")]
    public async Task A_pack_whose_index_was_not_written_is_not_sent_again()
    {
        await using var rig = new StageRig();
        rig.Place.Creating = name =>
        {
            if (name.Contains("/index/", StringComparison.Ordinal))
                throw new IOException("The line is cut.");
        };
        await Assert.ThrowsAsync<PlaceException>(rig.PrepareDataAsync);
        rig.Place.Creating = null;

        Assert.Equal(0, (await rig.PrepareDataAsync()).PushedBytes);
        Assert.Equal(rig.Objects("content").Count(), rig.Objects("index").Count());
        await rig.ImportDataAsync();
    }

    [Fact]
    [Trait("Spec", "DEP-12")]
    public async Task A_bit_that_flipped_in_a_pack_is_found_and_named()
    {
        await using var rig = new StageRig();
        await rig.PrepareDataAsync();
        string pack = rig.Objects("content").First();
        byte[] content = await File.ReadAllBytesAsync(pack, NoHurry);

        foreach (int place in new[] { 0, 5, 8, 40, 60, content.Length / 2, content.Length - 1 })
        {
            content[place] ^= 1;
            await File.WriteAllBytesAsync(pack, content, NoHurry);
            MigrationException refused = await Assert.ThrowsAsync<MigrationException>(rig.ImportDataAsync);
            Assert.Contains(Path.GetFileName(pack), refused.Message, StringComparison.Ordinal);
            content[place] ^= 1;
        }

        await File.WriteAllBytesAsync(pack, content, NoHurry);
        await rig.ImportDataAsync();
    }

    [Fact]
    [Trait("Spec", "DEP-12")]
    public async Task An_index_that_names_what_its_pack_does_not_hold_is_found()
    {
        await using var rig = new StageRig();
        await rig.PrepareDataAsync();
        string index = rig.Objects("index").First();
        byte[] content = await File.ReadAllBytesAsync(index, NoHurry);
        content[3] ^= 1;
        await File.WriteAllBytesAsync(index, content, NoHurry);

        Assert.Contains("lacks content that its index names", (await Assert.ThrowsAsync<MigrationException>(rig.ImportDataAsync)).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Spec", "DEP-26")]
    public async Task A_place_that_goes_with_the_container_is_refused_before_anything_is_put_there()
    {
        await using var rig = new StageRig();
        string inside = Directory.CreateDirectory(Path.Combine(rig.World.SourceCopy!.Root, "depot")).FullName;
        Runtime.ContainerDescription container = await rig.World.Source.Runtime.InspectAsync(MigrationRig.Container, null, NoHurry);

        MigrationException refused = await Assert.ThrowsAsync<MigrationException>(
            () => new PushRunner(rig.World.Source.Environment, new DirectoryObjectStore(inside)).RunAsync(container, cancellationToken: NoHurry));

        Assert.Contains("choose a place elsewhere", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(inside));
    }

    [Fact]
    [Trait("Spec", "DEP-12")]
    public async Task A_dump_that_is_damaged_or_lacks_a_part_is_refused_and_nothing_is_left()
    {
        await using var rig = new StageRig();
        await rig.DumpedAsync();
        string part = rig.Objects("dump").Single(path => path.EndsWith("00000000", StringComparison.Ordinal));
        byte[] content = await File.ReadAllBytesAsync(part, NoHurry);

        content[content.Length / 2] ^= 4;
        await File.WriteAllBytesAsync(part, content, NoHurry);
        Assert.IsType<MigrationFailed>(await rig.RestoreDumpAsync());
        File.Delete(part);
        var failed = Assert.IsType<MigrationFailed>(await rig.RestoreDumpAsync());

        Assert.Contains("lacks part 0", failed.Reason, StringComparison.Ordinal);
        Assert.Null(rig.World.TargetCopy);
        Assert.Empty(rig.Objects("claim"));
        await rig.UnfreezeAsync();
        Assert.Equal(CopyState.Running, rig.World.SourceCopy!.State);
        Assert.Empty(rig.World.Leftovers());
    }

    [Fact]
    [Trait("Spec", "DEP-01")]
    public async Task Of_many_who_create_one_name_one_succeeds()
    {
        await using var rig = new StageRig();
        string[] words = [.. Enumerable.Range(0, 16).Select(number => $"word {number}")];

        bool[] won = await Task.WhenAll(words.Select(word => Task.Run(() => rig.Place.TryCreateAsync("web/claim/x", System.Text.Encoding.ASCII.GetBytes(word), NoHurry))));

        string winner = words[Array.IndexOf(won, true)];
        Assert.Single(won, true);
        Assert.Equal(winner, System.Text.Encoding.ASCII.GetString((await rig.Place.TryReadAsync("web/claim/x", NoHurry))!));
        Assert.Equal(["web/claim/x"], await rig.Place.ListAsync("web/", NoHurry));
    }

    private static void ContentPushedIs(ContentPushed again, StageRig rig, long before)
    {
        Assert.True(again.KnownBytes >= 24 << 20, $"three packs were there, and only {again.KnownBytes} bytes are known");
        Assert.True(rig.Place.CreatedBytes - before < before, "what was there was sent again");
    }
}
