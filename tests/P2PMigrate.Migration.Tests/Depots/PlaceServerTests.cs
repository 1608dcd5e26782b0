using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Depots.Remote;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.Depots;

/// <summary>The place of a peer, against whoever holds a ticket and means no good.</summary>
public sealed class PlaceServerTests
{
    private static readonly CancellationToken NoHurry = TestContext.Current.CancellationToken;
    private static readonly string s_id = new('a', 32);

    public static TheoryData<byte, string> NoRequests { get; } = new()
    {
        { 0, $"web/claim/{s_id}" },
        { 5, $"web/claim/{s_id}" },
        { 2, "" },
        { 2, "/etc/passwd" },
        { 2, "../web/keys/owner" },
        { 2, "web/../../etc/passwd" },
        { 2, "web/keys/../../x" },
        { 2, $"web//{s_id}" },
        { 2, $"web/claim/{s_id}/" },
        { 2, $"web/claim/{s_id.ToUpperInvariant()}" },
        { 2, $"web/claim/{s_id}\0" },
        { 2, $"wéb/claim/{s_id}" },
        { 1, ".unfinished/x" },
        { 1, $".unfinished/claim/{s_id}" },
        { 1, $"web/dump/{s_id}/0000001" },
        { 1, $"web/other/{s_id}" },
        { 1, "web/keys/somebody" },
        { 4, "web/" },
        { 3, "" },
        { 3, "/" },
        { 3, "we" },
        { 3, "../" },
        { 3, "web/claim" },
        { 3, "web/dump/../" },
        { 3, new string('w', 300) },
    };

    [Theory]
    [Trait("Spec", "DEP-02")]
    [Trait("Spec", "DEP-52")]
    [MemberData(nameof(NoRequests))]
    public async Task What_is_no_request_ends_the_session_and_touches_nothing(byte verb, string name)
    {
        await using var peer = new PeerPlace();
        await AskAsync(peer, [(byte)verb, .. Encoding.UTF8.GetBytes(name)], []);

        Assert.Equal(MigrationFault.PeerBrokeProtocol, (await Assert.ThrowsAsync<MigrationException>(() => peer.Serving)).Fault);
        Assert.Empty(Directory.EnumerateFileSystemEntries(peer.Path));
    }

    [Fact]
    [Trait("Spec", "DEP-52")]
    public async Task An_object_longer_than_any_is_refused_before_it_is_read()
    {
        await using var peer = new PeerPlace();
        byte[] tooLong = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(tooLong, DepotLimits.MaxObjectLength + 1);

        await using ITunnelStream stream = await SendAsync(peer, [.. Record(Create), .. tooLong]);

        await Assert.ThrowsAsync<MigrationException>(() => peer.Serving);
    }

    [Theory]
    [Trait("Spec", "DEP-52")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_that_ends_early_or_late_is_none(bool isLate)
    {
        await using var peer = new PeerPlace();
        byte[] whole = [.. Record(Create), .. Record([1, 2, 3])];

        await AskAsync(peer, isLate ? [.. whole, 0] : whole[..^1]);

        await Assert.ThrowsAsync<MigrationException>(() => peer.Serving);
        Assert.Empty(Directory.EnumerateFileSystemEntries(peer.Path));
    }

    [Fact]
    [Trait("Spec", "DEP-53")]
    public async Task Nothing_leads_out_of_the_directory()
    {
        await using var peer = new PeerPlace();
        DirectoryInfo outside = Directory.CreateTempSubdirectory("p2pmigrate-outside-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(outside.FullName, s_id), "secret", NoHurry);
            Directory.CreateDirectory(Path.Combine(peer.Path, "web/claim"));
            Directory.CreateSymbolicLink(Path.Combine(peer.Path, "web/content"), outside.FullName);
            File.CreateSymbolicLink(Path.Combine(peer.Path, "web/claim", s_id), Path.Combine(outside.FullName, s_id));

            foreach (string name in new[] { $"web/content/{s_id}", $"web/claim/{s_id}" })
            {
                Assert.Contains("is a link", (await Assert.ThrowsAsync<PlaceException>(() => peer.Store.TryReadAsync(name, NoHurry))).Message, StringComparison.Ordinal);
                await Assert.ThrowsAsync<PlaceException>(() => peer.Store.TryCreateAsync(name, default, NoHurry));
                await Assert.ThrowsAsync<PlaceException>(() => peer.Store.DeleteAsync(name, NoHurry));
            }

            Assert.Empty(await peer.Store.ListAsync("web/", NoHurry));
            Assert.Equal("secret", await File.ReadAllTextAsync(Path.Combine(outside.FullName, s_id), NoHurry));
        }
        finally
        {
            outside.Delete(recursive: true);
        }
    }

    [Fact]
    [Trait("Spec", "DEP-02")]
    public async Task What_is_no_object_is_not_listed()
    {
        await using var peer = new PeerPlace();
        Directory.CreateDirectory(Path.Combine(peer.Path, "web"));
        await File.WriteAllTextAsync(Path.Combine(peer.Path, "web/notes"), "", NoHurry);
        await peer.Store.TryCreateAsync("web/keys/owner", default, NoHurry);

        Assert.Equal(["web/keys/owner"], await peer.Store.ListAsync("web/", NoHurry));
    }

    [Fact]
    [Trait("Spec", "DEP-51")]
    public async Task An_answer_that_was_not_waited_for_does_not_end_the_session()
    {
        await using var peer = new PeerPlace();
        InMemorySession near = await OpenedAsync(peer);
        for (int i = 0; i < 50; i++)
        {
            ITunnelStream stream = await near.OpenStreamAsync(StreamPriority.Bulk, NoHurry);
            await stream.Output.WriteAsync(Record(Create), NoHurry);
            await stream.DisposeAsync();
        }

        await using ITunnelStream last = await near.OpenStreamAsync(StreamPriority.Bulk, NoHurry);
        await last.Output.WriteAsync((byte[])[.. Record(Create), .. Record([1])], NoHurry);
        await last.Output.CompleteAsync();
        Assert.Equal(Record([(byte)PlaceVerdict.Yes]), (await last.Input.ReadAtLeastAsync(5, NoHurry)).Buffer.ToArray());
    }

    [Theory]
    [Trait("Spec", "DEP-51")]
    [InlineData("web/claim/x")]
    [InlineData("other/keys/owner")]
    [InlineData("web/keys/owner\nweb/keys/owner")]
    [InlineData("web/keys/owner\n")]
    [InlineData("web/../../etc/passwd")]
    public void A_peer_that_lists_what_is_none_is_not_believed(string list) =>
        Assert.False(PlaceAnswer.TryDecodeNames(Encoding.ASCII.GetBytes(list), "web/", out _));

    [Fact]
    [Trait("Spec", "DEP-51")]
    public void A_peers_reason_cannot_write_to_the_terminal()
    {
        Assert.True(PlaceAnswer.TryDecode([3, .. "full\x1b[2J"u8], out PlaceAnswer answer));
        Assert.Equal("full [2J", answer.Reason);
        Assert.False(PlaceAnswer.TryDecode([1, 0], out _));
        Assert.False(PlaceAnswer.TryDecode([4], out _));
        Assert.False(PlaceAnswer.TryDecode([], out _));
        Assert.True(new PlaceAnswer(PlaceVerdict.Refused, new string('€', 9000)).Encode().Length <= PlaceAnswer.LengthMax);
    }

    private static byte[] Create => new PlaceRequest(PlaceVerb.Create, $"web/claim/{s_id}").Encode();

    private static byte[] Record(byte[] content)
    {
        byte[] record = new byte[sizeof(uint) + content.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)content.Length);
        content.CopyTo(record, sizeof(uint));
        return record;
    }

    private static async Task AskAsync(PeerPlace peer, byte[] request, byte[] content) => await AskAsync(peer, [.. Record(request), .. Record(content)]);

    private static async Task AskAsync(PeerPlace peer, byte[] bytes)
    {
        await using ITunnelStream stream = await SendAsync(peer, bytes);
        await stream.Output.CompleteAsync();
        await Task.WhenAny(peer.Serving, Task.Delay(TimeSpan.FromSeconds(5), NoHurry));
    }

    private static async Task<ITunnelStream> SendAsync(PeerPlace peer, byte[] bytes)
    {
        ITunnelStream stream = await (await OpenedAsync(peer)).OpenStreamAsync(StreamPriority.Bulk, NoHurry);
        await stream.Output.WriteAsync(bytes, NoHurry);
        return stream;
    }

    private static async Task<InMemorySession> OpenedAsync(PeerPlace peer)
    {
        InMemorySession near = peer.Dial();
        await using ITunnelStream question = await near.OpenStreamAsync(StreamPriority.Bulk, NoHurry);
        await Question.AskAsync<PlaceOpened>(question, new PlaceAsked(), NoHurry);
        return near;
    }
}
