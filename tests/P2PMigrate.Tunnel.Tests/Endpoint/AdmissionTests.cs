namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>Peers that know each other need no ticket.</summary>
public sealed class AdmissionTests
{
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Spec", "ID-17")]
    public async Task A_peer_that_was_admitted_dials_by_the_others_key_as_often_as_it_likes_and_both_see_who_is_there()
    {
        await using Peers peers = await Peers.OpenWithServerAsync();
        await peers.Target.AdmitAsync(peers.IdentityOf(peers.Source).Public, _token);

        for (int i = 0; i < 2; i++)
        {
            ValueTask<TunnelSession> accepting = peers.Target.AcceptAsync(_token);
            await using TunnelSession near = await DialAsync(peers.Source, peers);
            await using TunnelSession far = await accepting;
            Assert.Equal((peers.Target.PeerId, peers.Source.PeerId), (near.Peer, far.Peer));
            (ITunnelStream sent, ITunnelStream received) = await Peers.OpenStreamAsync(near, far);
            Assert.True(await peers.Target.SpendTicketAsync(far.Ticket, _token));
            await sent.DisposeAsync();
            await received.DisposeAsync();
        }
    }

    [Fact]
    [Trait("Spec", "ID-17")]
    public async Task Who_was_not_admitted_or_was_dismissed_meets_silence_and_so_does_the_other_direction()
    {
        await using Peers peers = await Peers.OpenAsync();
        TunnelEndpoint stranger = await peers.OpenOneAsync();
        await peers.Target.AdmitAsync(peers.IdentityOf(peers.Source).Public, _token);
        await peers.Target.AdmitAsync(peers.IdentityOf(stranger).Public, _token);
        await peers.Target.DismissAsync(stranger.PeerId, _token);

        Task<TunnelException>[] silences =
        [
            Assert.ThrowsAsync<TunnelException>(async () => await DialAsync(stranger, peers)),
            Assert.ThrowsAsync<TunnelException>(async () => await peers.Target.DialAsync(
                peers.IdentityOf(peers.Source).Public, addresses: [peers.Source.LocalEndPoint], cancellationToken: _token)),
        ];

        Assert.All(await Task.WhenAll(silences), silence => Assert.Equal(TunnelFailure.PeerUnreachable, silence.Reason));
    }

    private async Task<TunnelSession> DialAsync(TunnelEndpoint from, Peers peers) => await from.DialAsync(
        peers.IdentityOf(peers.Target).Public, addresses: [peers.Target.LocalEndPoint], cancellationToken: _token);
}
