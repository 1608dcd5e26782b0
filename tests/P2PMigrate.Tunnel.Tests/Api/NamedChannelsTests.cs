using System.Buffers;
using System.IO.Pipelines;
using P2PMigrate.Tunnel.Channels;

namespace P2PMigrate.Tunnel.Tests.Api;

/// <summary>Channels with names over one stream.</summary>
public sealed class NamedChannelsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Channels_meet_by_name_whoever_comes_first_and_do_not_mix()
    {
        (NamedChannels near, NamedChannels far) = await OpenAsync();
        Task<IDuplexPipe> accepted = near.AcceptAsync("early", Token).AsTask();
        IDuplexPipe[] ends = await Task.WhenAll(
            near.OfferAsync("late", Token).AsTask(), far.AcceptAsync("late", Token).AsTask(), far.OfferAsync("early", Token).AsTask(), accepted);

        await ends[0].Output.WriteAsync("late"u8.ToArray(), Token);
        await ends[2].Output.WriteAsync("early"u8.ToArray(), Token);
        Assert.Equal("late"u8.ToArray(), (await ends[1].Input.ReadAtLeastAsync(4, Token)).Buffer.ToArray());
        Assert.Equal("early"u8.ToArray(), (await ends[3].Input.ReadAtLeastAsync(5, Token)).Buffer.ToArray());
        await near.DisposeAsync();
        await far.DisposeAsync();
    }

    [Fact]
    public async Task Who_waits_for_a_channel_learns_that_the_session_ended()
    {
        (InMemorySession near, InMemorySession far) = InMemorySession.CreatePair();
        await using NamedChannels channels = NamedChannels.Over(await near.OpenStreamAsync(StreamPriority.Urgent, Token));
        Task<IDuplexPipe> waiting = channels.AcceptAsync("nobody", Token).AsTask();
        far.Cut();
        await Assert.ThrowsAsync<TunnelException>(() => waiting);
        await channels.Completion.WaitAsync(TimeSpan.FromMinutes(1), Token);
    }

    [Fact]
    public async Task Who_offers_more_channels_than_the_other_side_accepts_ends_them_all()
    {
        (NamedChannels near, NamedChannels far) = await OpenAsync();
        for (int i = 0; i < 2 * NamedChannels.MaxUnaccepted; i++)
            await Task.WhenAll(near.OfferAsync("accepted", Token).AsTask(), far.AcceptAsync("accepted", Token).AsTask());
        Assert.False(far.Completion.IsCompleted);

        Task<IDuplexPipe>[] offers = [.. Enumerable.Range(0, NamedChannels.MaxUnaccepted + 1).Select(i => near.OfferAsync($"{i}", Token).AsTask())];
        await far.Completion.WaitAsync(TimeSpan.FromMinutes(1), Token);
        await Assert.ThrowsAsync<TunnelException>(() => offers[^1]);
    }

    [Fact]
    public async Task A_name_that_is_too_long_is_refused()
    {
        (NamedChannels near, _) = await OpenAsync();
        await Assert.ThrowsAsync<ArgumentException>(async () => await near.OfferAsync(new string('x', NamedChannels.MaxNameLength + 1), Token));
    }

    private static async Task<(NamedChannels Near, NamedChannels Far)> OpenAsync()
    {
        (InMemorySession near, InMemorySession far) = InMemorySession.CreatePair();
        ITunnelStream opened = await near.OpenStreamAsync(StreamPriority.Urgent, Token);
        NamedChannels channels = NamedChannels.Over(opened);
        // An opened stream is seen by the other side when its first byte comes.
        _ = channels.OfferAsync("hello", Token).AsTask();
        return (channels, NamedChannels.Over(await far.AcceptStreamAsync(Token)));
    }
}
