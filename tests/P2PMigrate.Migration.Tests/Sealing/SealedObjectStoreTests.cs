using System.Security.Cryptography;
using System.Text;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.Sealing;

public sealed class SealedObjectStoreTests : IDisposable
{
    private const string Pack = "web/content/00000000000000000000000000000001";

    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-sealed-").FullName;
    private readonly DirectoryObjectStore _place;
    private readonly PrivateIdentity _source = Peer(), _target = Peer(), _other = Peer();
    private readonly ContainerName _web = Name("web");

    public SealedObjectStoreTests() => _place = new DirectoryObjectStore(_directory);

    public void Dispose()
    {
        Directory.Delete(_directory, recursive: true);
        foreach (PrivateIdentity peer in new[] { _source, _target, _other })
            peer.Dispose();
    }

    [Fact]
    [Trait("Spec", "DEP-30")]
    public async Task What_the_source_seals_the_target_opens_and_nobody_else_can_read()
    {
        byte[] content = Encoding.ASCII.GetBytes("a secret of the container, and it is long enough to be seen");
        using (SealedObjectStore writer = await WriterAsync(_target))
        {
            Assert.True(await writer.TryCreateAsync(Pack, content, default));
            Assert.False(await writer.TryCreateAsync(Pack, new byte[1], default));
            Assert.Equal([Pack], await writer.ListAsync("web/", default));
            Assert.Null(await writer.TryReadAsync(Pack + "0", default));
        }

        using SealedObjectStore reader = await ReaderAsync(_target);
        Assert.Equal(_source.Public, reader.SealedBy);
        Assert.Equal([Pack], await reader.ListAsync("", default));
        Assert.Equal(content, await reader.TryReadAsync(Pack, default));
        Assert.All(Directory.EnumerateFiles(_directory, "*", SearchOption.AllDirectories), file => Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf("secret"u8)));
        Assert.Equal(content.Length + SealedObjectStore.Overhead, (await _place.TryReadAsync(Pack, default))!.Length);

        await reader.DeleteAsync(Pack, default);
        Assert.Null(await reader.TryReadAsync(Pack, default));
    }

    [Fact]
    [Trait("Spec", "DEP-34")]
    public async Task Who_made_a_depot_finds_its_key_again()
    {
        using (SealedObjectStore first = await WriterAsync(_target))
            await first.TryCreateAsync(Pack, new byte[] { 1 }, default);
        using SealedObjectStore again = await WriterAsync(_target), own = await ReaderAsync(_source);
        Assert.Equal([1], await again.TryReadAsync(Pack, default));
        Assert.Equal([1], await own.TryReadAsync(Pack, default));
        Assert.Equal(_source.Public, own.SealedBy);
    }

    [Fact]
    public async Task A_machine_that_it_was_not_sealed_for_is_told_what_to_do()
    {
        using SealedObjectStore writer = await WriterAsync(_target);
        MigrationException refused = await RefusedAsync(() => ReaderAsync(_other));
        Assert.Equal(MigrationFault.NotSealedForThisPeer, refused.Fault);
        Assert.Contains(_other.PeerId.ToString(), refused.Message);
        Assert.Contains("p2pmigrate id --key", refused.Message);
    }

    [Fact]
    public async Task A_place_with_nothing_sealed_in_it_is_called_that()
    {
        MigrationException refused = await RefusedAsync(() => ReaderAsync(_target));
        Assert.StartsWith($"There is nothing sealed in {_directory}/web.", refused.Message);
    }

    [Fact]
    [Trait("Spec", "DEP-35")]
    public async Task Every_changed_bit_is_noticed_and_the_object_named()
    {
        using SealedObjectStore writer = await WriterAsync(_target);
        await writer.TryCreateAsync(Pack, new byte[] { 1, 2, 3, 4 }, default);
        string file = Path.Combine(_directory, Pack);
        byte[] whole = File.ReadAllBytes(file);
        for (int bit = 0; bit < whole.Length * 8; bit++)
        {
            byte[] changed = [.. whole];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(file, changed);
            MigrationException refused = await RefusedAsync(() => writer.TryReadAsync(Pack, default));
            Assert.Equal(MigrationFault.ArchiveDamaged, refused.Fault);
            Assert.StartsWith($"{Pack} in {_directory} does not open", refused.Message);
        }

        foreach (int length in new[] { 0, 1, 23, SealedObjectStore.Overhead, whole.Length - 1 })
        {
            File.WriteAllBytes(file, whole[..length]);
            await RefusedAsync(() => writer.TryReadAsync(Pack, default));
        }

        File.WriteAllBytes(file, whole);
        Assert.Equal([1, 2, 3, 4], await writer.TryReadAsync(Pack, default));
    }

    [Fact]
    [Trait("Spec", "DEP-30")]
    public async Task An_object_moved_to_another_name_does_not_open()
    {
        using SealedObjectStore writer = await WriterAsync(_target);
        await writer.TryCreateAsync(Pack, new byte[] { 1 }, default);
        await writer.TryCreateAsync("web/claim/1", "source"u8.ToArray(), default);
        await _place.TryCreateAsync("web/claim/2", (await _place.TryReadAsync("web/claim/1", default))!, default);
        await RefusedAsync(() => writer.TryReadAsync("web/claim/2", default));
    }

    [Fact]
    [Trait("Spec", "DEP-32")]
    public async Task An_envelope_of_another_depot_or_another_purpose_does_not_open()
    {
        using SealedObjectStore web = await WriterAsync(_target);
        string mine = _target.PeerId.ToString().Replace("-", "", StringComparison.Ordinal);
        await CopyAsync($"web/keys/{mine}", $"db/keys/{mine}");
        Assert.Contains("does not open", (await RefusedAsync(() => SealedObjectStore.OpenAsync(_place, Name("db"), _target, default))).Message);

        await CopyAsync("web/keys/owner", "db/keys/owner");
        await RefusedAsync(() => SealedObjectStore.CreateAsync(_place, Name("db"), _source, [_target.Public], default));
    }

    [Fact]
    [Trait("Spec", "DEP-34")]
    public async Task Of_several_that_make_one_depot_at_once_one_key_wins_and_all_use_it()
    {
        for (int round = 0; round < 20; round++)
        {
            ContainerName name = Name($"c{round}");
            SealedObjectStore[] made = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => SealedObjectStore.CreateAsync(_place, name, _source, [_target.Public], default))));
            using SealedObjectStore reader = await SealedObjectStore.OpenAsync(_place, name, _target, default);
            for (int writer = 0; writer < made.Length; writer++)
            {
                Assert.True(await made[writer].TryCreateAsync($"{name}/content/{writer}", new[] { (byte)writer }, default));
                Assert.Equal(new[] { (byte)writer }, await reader.TryReadAsync($"{name}/content/{writer}", default));
                made[writer].Dispose();
            }
        }
    }

    [Fact]
    [Trait("Spec", "DEP-33")]
    public async Task Nobody_writes_with_a_key_that_somebody_else_laid_down()
    {
        // The other machine makes the depot first, for the source: whatever the source seals with that key, the other can read.
        using SealedObjectStore planted = await SealedObjectStore.CreateAsync(_place, _web, _other, [_source.Public], default);
        MigrationException refused = await RefusedAsync(() => WriterAsync(_target));
        Assert.Equal(MigrationFault.NotSealedForThisPeer, refused.Fault);
        Assert.Contains("sealed by another machine", refused.Message);

        using SealedObjectStore read = await ReaderAsync(_source);
        Assert.Equal(_other.Public, read.SealedBy);
    }

    [Fact]
    [Trait("Spec", "DEP-34")]
    public async Task A_reader_added_later_reads_what_was_there_before()
    {
        using (SealedObjectStore first = await WriterAsync(_target))
            await first.TryCreateAsync(Pack, new byte[] { 7 }, default);
        using SealedObjectStore wider = await WriterAsync(_target, _other), reader = await ReaderAsync(_other);
        Assert.Equal([7], await reader.TryReadAsync(Pack, default));
    }

    [Fact]
    [Trait("Spec", "DEP-33")]
    public async Task Nothing_more_is_sealed_where_a_reader_is_not_meant_any_longer()
    {
        using SealedObjectStore first = await WriterAsync(_target);
        MigrationException refused = await RefusedAsync(() => WriterAsync(_other));
        Assert.Contains(_target.PeerId.ToString(), refused.Message);
        await RefusedAsync(() => ReaderAsync(_other));
    }

    [Fact]
    [Trait("Spec", "DEP-33")]
    public async Task A_reader_that_was_added_later_is_not_forgotten()
    {
        using SealedObjectStore first = await WriterAsync(_target), wider = await WriterAsync(_target, _other);
        MigrationException refused = await RefusedAsync(() => WriterAsync(_target));
        Assert.Equal(MigrationFault.NotSealedForThisPeer, refused.Fault);
        Assert.Contains(_other.PeerId.ToString(), refused.Message);
    }

    [Fact]
    [Trait("Spec", "DEP-35")]
    public async Task Whoever_owns_a_depot_reads_by_its_own_key_whatever_is_offered_to_it()
    {
        using SealedObjectStore writer = await WriterAsync(_target);
        Assert.True(await writer.TryCreateAsync("web/claim/1", "target"u8.ToArray(), default));
        string directory = Directory.CreateDirectory(Path.Combine(_directory, "else")).FullName;
        using SealedObjectStore elsewhere = await SealedObjectStore.CreateAsync(new DirectoryObjectStore(directory), _web, _other, [_source.Public], default);
        string mine = _source.PeerId.ToString().Replace("-", "", StringComparison.Ordinal);
        await CopyAsync($"else/web/keys/{mine}", $"web/keys/{mine}");

        using SealedObjectStore read = await ReaderAsync(_source);
        Assert.Equal(_source.Public, read.SealedBy);
        Assert.Equal("target"u8.ToArray(), await read.TryReadAsync("web/claim/1", default));
    }

    [Fact]
    [Trait("Spec", "DEP-35")]
    public async Task A_claim_that_does_not_open_is_neither_a_yes_nor_a_no()
    {
        using SealedObjectStore depot = await WriterAsync(_target);
        JobId job = JobId.Create();
        DumpClaim claim = new Depot(depot, _web).ClaimOf(job);
        await _place.TryCreateAsync($"web/claim/{job}", "source"u8.ToArray(), default);
        foreach (Func<Task> question in new Func<Task>[] { () => claim.OwnerAsync(default), () => claim.TryTakeForSourceAsync(default), () => claim.TryTakeForTargetAsync("0", default) })
            Assert.Contains("does not open", (await Assert.ThrowsAsync<PlaceException>(question)).Message);
    }

    [Fact]
    [Trait("Spec", "DEP-37")]
    public async Task A_depot_that_is_not_sealed_does_not_become_so()
    {
        await _place.TryCreateAsync(Pack, new byte[] { 1 }, default);
        Assert.Contains("is not sealed", (await RefusedAsync(() => WriterAsync(_target))).Message);
        Assert.False(await SealedObjectStore.IsSealedAsync(_place, _web, default));
        using SealedObjectStore other = await SealedObjectStore.CreateAsync(_place, Name("db"), _source, [_target.Public], default);
    }

    [Fact]
    public async Task The_seals_own_objects_and_those_of_other_containers_are_not_to_be_had()
    {
        using SealedObjectStore writer = await WriterAsync(_target);
        await _place.TryCreateAsync("db/content/1", new byte[] { 1 }, default);
        Assert.Empty(await writer.ListAsync("", default));
        foreach (string name in new[] { "web/keys/owner", "web/keys/new", "db/content/1", "web" })
        {
            await Assert.ThrowsAsync<ArgumentException>(() => writer.TryReadAsync(name, default));
            await Assert.ThrowsAsync<ArgumentException>(() => writer.TryCreateAsync(name, new byte[1], default));
            await Assert.ThrowsAsync<ArgumentException>(() => writer.DeleteAsync(name, default));
        }
    }

    [Fact]
    [Trait("Spec", "DEP-36")]
    public async Task The_longest_object_fits_into_the_place_with_its_seal_and_a_longer_one_is_refused()
    {
        using SealedObjectStore writer = await WriterAsync(_target);
        byte[] longest = RandomNumberGenerator.GetBytes(DepotLimits.MaxObjectLength - SealedObjectStore.Overhead);
        Assert.True(await writer.TryCreateAsync(Pack, longest, default));
        Assert.Equal(longest, await writer.TryReadAsync(Pack, default));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => writer.TryCreateAsync(Pack, new byte[longest.Length + 1], default));
    }

    private static PrivateIdentity Peer() => PrivateIdentity.Create(CryptographicEntropy.Instance);

    private static ContainerName Name(string text) => ContainerName.TryParse(text, out ContainerName name) ? name : throw new ArgumentException(text);

    private static async Task<MigrationException> RefusedAsync(Func<Task> action) => await Assert.ThrowsAsync<MigrationException>(action);

    private async Task CopyAsync(string from, string to) => Assert.True(await _place.TryCreateAsync(to, (await _place.TryReadAsync(from, default))!, default));

    private Task<SealedObjectStore> WriterAsync(params PrivateIdentity[] readers) =>
        SealedObjectStore.CreateAsync(_place, _web, _source, [.. readers.Select(reader => reader.Public)], default);

    private Task<SealedObjectStore> ReaderAsync(PrivateIdentity self) => SealedObjectStore.OpenAsync(_place, _web, self, default);
}
