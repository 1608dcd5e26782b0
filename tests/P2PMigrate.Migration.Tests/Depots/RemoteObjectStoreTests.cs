using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Depots.Remote;
using P2PMigrate.Migration.Tests.Stages;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.Depots;

/// <summary>The place of a peer, from the side that uses it.</summary>
public sealed class RemoteObjectStoreTests
{
    private static readonly CancellationToken NoHurry = TestContext.Current.CancellationToken;
    private static readonly string s_id = new('a', 32);
    private static readonly string s_claim = $"web/claim/{s_id}";

    [Fact]
    [Trait("Spec", "DEP-51")]
    public async Task It_does_what_a_directory_does()
    {
        await using var peer = new PeerPlace();
        byte[] pack = new byte[DepotLimits.MaxObjectLength];
        Random.Shared.NextBytes(pack);

        Assert.True(await peer.Store.TryCreateAsync($"web/content/{s_id}", pack, NoHurry));
        Assert.False(await peer.Store.TryCreateAsync($"web/content/{s_id}", pack, NoHurry));
        Assert.True(await peer.Store.TryCreateAsync(s_claim, default, NoHurry));
        Assert.True((await peer.Store.TryReadAsync($"web/content/{s_id}", NoHurry)).AsSpan().SequenceEqual(pack));
        Assert.Empty((await peer.Store.TryReadAsync(s_claim, NoHurry))!);
        Assert.Equal([s_claim, $"web/content/{s_id}"], await peer.Store.ListAsync("web/", NoHurry));
        Assert.True((await File.ReadAllBytesAsync(Path.Combine(peer.Path, "web/content", s_id), NoHurry)).AsSpan().SequenceEqual(pack));

        await peer.Store.DeleteAsync(s_claim, NoHurry);
        await peer.Store.DeleteAsync(s_claim, NoHurry);
        Assert.Null(await peer.Store.TryReadAsync(s_claim, NoHurry));
        Assert.Empty(await peer.Store.ListAsync("web/claim/", NoHurry));
        Assert.Equal(1, peer.Dials);
    }

    [Fact]
    [Trait("Spec", "DEP-01")]
    public async Task Of_several_that_create_one_object_one_is_first()
    {
        await using var peer = new PeerPlace();
        bool[] created = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => peer.Store.TryCreateAsync(s_claim, new[] { (byte)i }, NoHurry)));
        Assert.Single(created, isFirst => isFirst);
    }

    [Theory]
    [Trait("Spec", "DEP-54")]
    [InlineData("source", true)]
    [InlineData("target 1", false)]
    public async Task A_create_whose_answer_was_lost_ends_by_what_is_there(string there, bool isOurs)
    {
        bool isCut = false;
        PeerPlace? reached = null;
        await using var peer = new PeerPlace { Around = place => new CountingPlace(place) { Created = _ => Cut() } };
        reached = peer;
        if (!isOurs)
            await new DirectoryObjectStore(peer.Path).TryCreateAsync(s_claim, "target 1"u8.ToArray(), NoHurry);

        Assert.Equal(isOurs, await peer.Store.TryCreateAsync(s_claim, "source"u8.ToArray(), NoHurry));
        Assert.Equal(there, await File.ReadAllTextAsync(Path.Combine(peer.Path, s_claim), NoHurry));
        Assert.Equal(2, peer.Dials);

        void Cut()
        {
            if (!isCut)
                reached!.Near.Cut();
            isCut = true;
        }
    }

    [Fact]
    [Trait("Spec", "DEP-54")]
    public async Task A_claim_that_came_back_as_anothers_is_not_deleted_by_a_repetition()
    {
        PeerPlace? reached = null;
        await using var peer = new PeerPlace { Around = place => new CountingPlace(place) { Deleted = _ => ClaimAndCut() } };
        reached = peer;
        Assert.True(await peer.Store.TryCreateAsync(s_claim, "target 1"u8.ToArray(), NoHurry));

        await Assert.ThrowsAsync<PlaceException>(() => peer.Store.DeleteAsync(s_claim, NoHurry));
        Assert.Equal("source", await File.ReadAllTextAsync(Path.Combine(peer.Path, s_claim), NoHurry));
        Assert.Equal("source"u8.ToArray(), await peer.Store.TryReadAsync(s_claim, NoHurry));
        Assert.Equal(2, peer.Dials);

        void ClaimAndCut()
        {
            File.WriteAllText(Path.Combine(reached!.Path, s_claim), "source");
            reached.Near.Cut();
        }
    }

    [Fact]
    [Trait("Spec", "DEP-54")]
    public async Task A_session_that_was_lost_while_nothing_was_asked_is_replaced_before_something_is_deleted()
    {
        await using var peer = new PeerPlace();
        Assert.True(await peer.Store.TryCreateAsync(s_claim, default, NoHurry));
        peer.Near.Cut();
        await peer.Near.Completion;
        await peer.Store.DeleteAsync(s_claim, NoHurry);
        Assert.Null(await peer.Store.TryReadAsync(s_claim, NoHurry));
        Assert.Equal(2, peer.Dials);
    }

    [Fact]
    [Trait("Spec", "DEP-54")]
    public async Task A_peer_that_stays_away_is_a_place_that_cannot_be_used()
    {
        PeerPlace? reached = null;
        await using var peer = new PeerPlace { Around = place => new CountingPlace(place) { Creating = _ => reached!.Near.Cut() } };
        reached = peer;

        PlaceException lost = await Assert.ThrowsAsync<PlaceException>(() => peer.Store.TryCreateAsync(s_claim, default, NoHurry));

        Assert.StartsWith("peer:there: ", lost.Message, StringComparison.Ordinal);
        Assert.Equal(2, peer.Dials);
    }

    [Fact]
    public async Task A_peer_that_is_not_reached_or_turns_us_away_is_said_with_its_words()
    {
        await using var away = new RemoteObjectStore("peer:away", _ => throw new TunnelException(TunnelFailure.PeerUnreachable, "The peer does not answer."));
        Assert.Equal("peer:away: The peer does not answer.", (await Assert.ThrowsAsync<PlaceException>(() => away.ListAsync("web/", NoHurry))).Message);

        (InMemorySession near, InMemorySession far) = InMemorySession.CreatePair();
        await using var shut = new RemoteObjectStore("peer:shut", _ => Task.FromResult<ITunnelSession>(near));
        Task<IReadOnlyList<string>> asking = shut.ListAsync("web/", NoHurry);
        await far.AcceptStreamAsync(NoHurry);
        await far.CloseAsync(0x101, "The peer keeps no place for others. Type there: p2pmigrate receive --place DIR", NoHurry);
        Assert.Contains("receive --place DIR", (await Assert.ThrowsAsync<PlaceException>(() => asking)).Message, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Spec", "DEP-53")]
    public async Task A_full_disk_is_the_peers_and_the_session_goes_on()
    {
        await using var peer = new PeerPlace { FreeBytes = PlaceServer.LeastFree + 3 };

        PlaceException full = await Assert.ThrowsAsync<PlaceException>(() => peer.Store.TryCreateAsync($"web/content/{s_id}", new byte[4], NoHurry));

        Assert.Contains("is nearly full", full.Message, StringComparison.Ordinal);
        Assert.Contains(peer.Path, full.Message, StringComparison.Ordinal);
        Assert.True(await peer.Store.TryCreateAsync($"web/content/{s_id}", new byte[3], NoHurry));
        peer.FreeBytes = PlaceServer.LeastFree / 2 + 6;
        Assert.True(await peer.Store.TryCreateAsync(s_claim, "source"u8.ToArray(), NoHurry));
        Assert.Equal(1, peer.Dials);
    }

    [Fact]
    [Trait("Spec", "DEP-54")]
    public async Task A_stage_whose_peer_went_away_goes_on_where_it_ended()
    {
        await using var peer = new PeerPlace();
        await using var rig = new StageRig(peer.Store, new DirectoryObjectStore(peer.Path));
        rig.Fill(megabytes: 40);
        int packs = 0;
        rig.Place.Creating = name =>
        {
            if (!name.Contains("/content/", StringComparison.Ordinal) || ++packs != 4)
                return;
            peer.IsAway = true;
            peer.Near.Cut();
        };

        PlaceException lost = await Assert.ThrowsAsync<PlaceException>(rig.PrepareDataAsync);
        Assert.Equal("peer:there: The peer does not answer.", lost.Message);
        peer.IsAway = false;
        long before = rig.Place.CreatedBytes;
        Assert.True((await rig.PrepareDataAsync()).KnownBytes >= 24 << 20);
        Assert.True(rig.Place.CreatedBytes - before < before, "what was there was sent again");
        await rig.ImportDataAsync();
    }

    [Fact]
    public async Task A_container_moves_stage_by_stage()
    {
        await using var peer = new PeerPlace();
        await using var rig = new StageRig(peer.Store, new DirectoryObjectStore(peer.Path));

        await rig.DumpedAsync();
        Assert.IsType<RestoreCompleted>(await rig.RestoreDumpAsync());
    }
}
