using System.Net;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>Who is let in, and what the others are told.</summary>
public sealed class TicketTests
{
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_ticket_that_was_spent_is_refused_with_the_reason()
    {
        await using Peers peers = await Peers.OpenAsync();
        Ticket ticket = await peers.Target.IssueTicketAsync(Peers.Hour, _token);
        Assert.True(await peers.Target.SpendTicketAsync(ticket.Id, _token));
        Assert.False(await peers.Target.SpendTicketAsync(ticket.Id, _token));

        await AssertFailsAsync(TunnelFailure.TicketRefused, "used already", peers.Source, ticket);
    }

    [Fact]
    public async Task A_ticket_that_was_not_spent_lets_its_holder_in_again()
    {
        await using Peers peers = await Peers.OpenAsync();
        Ticket ticket = await peers.Target.IssueTicketAsync(Peers.Hour, _token);
        for (int i = 0; i < 2; i++)
        {
            ValueTask<TunnelSession> accepting = peers.Target.AcceptAsync(_token);
            await using TunnelSession near = await peers.Source.DialAsync(ticket, _token);
            await using TunnelSession far = await accepting;
            Assert.Equal((ticket.Id, TicketVerdict.Open), (far.Ticket, far.Verdict));
            Assert.Equal((peers.Target.PeerId, peers.Source.PeerId), (near.Peer, far.Peer));
            Assert.True(near.IsInitiator && !far.IsInitiator);
        }
    }

    [Fact]
    public async Task A_ticket_outlives_a_restart_of_its_issuer_spent_or_not()
    {
        await using Peers peers = await Peers.OpenAsync();
        Ticket spent = await peers.Target.IssueTicketAsync(Peers.Hour, _token);
        Ticket open = await peers.Target.IssueTicketAsync(Peers.Hour, _token);
        Assert.True(await peers.Target.SpendTicketAsync(spent.Id, _token));
        IReadOnlyCollection<TicketRecord> records = await peers.Target.GetTicketsAsync(_token);
        await peers.Target.DisposeAsync();

        TunnelEndpoint restarted = await peers.OpenOneAsync(options => options with
        {
            Identity = peers.IdentityOf(peers.Target),
            Listen = peers.Target.LocalEndPoint,
        });
        await restarted.RestoreTicketsAsync(records, _token);

        await AssertFailsAsync(TunnelFailure.TicketRefused, "used already", peers.Source, spent);
        ValueTask<TunnelSession> accepting = restarted.AcceptAsync(_token);
        await using TunnelSession near = await peers.Source.DialAsync(open, _token);
        Assert.Equal(open.Id, (await accepting).Ticket);
    }

    [Fact]
    public async Task One_ticket_does_not_take_every_place()
    {
        await using Peers peers = await Peers.OpenAsync();
        Ticket first = await peers.Target.IssueTicketAsync(Peers.Hour, _token);
        Ticket second = await peers.Target.IssueTicketAsync(Peers.Hour, _token);
        for (int i = 0; i < 8; i++)
            await peers.Source.DialAsync(first, _token);

        TunnelException refused = await Assert.ThrowsAsync<TunnelException>(async () => await peers.Source.DialAsync(first, _token));
        Assert.Equal(TunnelFailure.PeerUnreachable, refused.Reason);
        await using TunnelSession other = await peers.Source.DialAsync(second, _token);
    }

    [Fact]
    public async Task A_ticket_that_has_expired_is_refused_with_the_reason()
    {
        await using Peers peers = await Peers.OpenAsync();
        var time = new ShiftedTime();
        TunnelEndpoint target = await peers.OpenOneAsync(options => options with { Time = time });
        Ticket ticket = await target.IssueTicketAsync(TimeSpan.FromMinutes(1), _token);
        time.PutForward(TimeSpan.FromMinutes(2));

        await AssertFailsAsync(TunnelFailure.TicketRefused, "expired", peers.Source, ticket);
    }

    [Fact]
    public async Task A_ticket_of_a_peer_that_is_not_there_names_the_command_to_run_there()
    {
        await using Peers peers = await Peers.OpenWithServerAsync();
        Ticket ticket = await peers.Target.IssueTicketAsync(Peers.Hour, _token);
        using PrivateIdentity other = PrivateIdentity.Create(CryptographicEntropy.Instance);

        await AssertFailsAsync(TunnelFailure.PeerUnknown, "`p2pmigrate receive`", peers.Source, ticket with { Responder = other.Public });
    }

    [Fact]
    public async Task A_ticket_with_another_secret_gets_nothing_but_silence()
    {
        await using Peers peers = await Peers.OpenWithServerAsync();
        Ticket ticket = await peers.Target.IssueTicketAsync(Peers.Hour, _token);
        Ticket forged = ticket with { Secret = TicketSecret.Create(CryptographicEntropy.Instance) };

        await AssertFailsAsync(TunnelFailure.PeerUnreachable, "is the ticket from", peers.Source, forged);
    }

    [Fact]
    public async Task A_rendezvous_server_that_does_not_answer_is_named()
    {
        await using Peers peers = await Peers.OpenAsync();
        using var nobody = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Dgram, System.Net.Sockets.ProtocolType.Udp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var server = new ServerName("127.0.0.1", (ushort)((IPEndPoint)nobody.LocalEndPoint!).Port);
        Ticket ticket = await peers.Target.IssueTicketAsync(Peers.Hour, _token);

        await AssertFailsAsync(TunnelFailure.RendezvousUnreachable, server.ToString(), peers.Source, ticket with { Rendezvous = server, Hints = [] });
    }

    [Fact]
    public async Task A_server_name_that_does_not_exist_is_told()
    {
        await using Peers peers = await Peers.OpenAsync();
        Ticket ticket = await peers.Target.IssueTicketAsync(Peers.Hour, _token);
        Ticket elsewhere = ticket with { Rendezvous = new ServerName("no-such-host.invalid", 3478), Hints = [] };

        await AssertFailsAsync(TunnelFailure.RendezvousUnreachable, "no-such-host.invalid", peers.Source, elsewhere);
    }

    [Fact]
    public async Task A_dial_that_nobody_waits_for_any_more_ends()
    {
        await using Peers peers = await Peers.OpenAsync();
        Ticket ticket = await peers.Target.IssueTicketAsync(Peers.Hour, _token);
        peers.Kill(peers.Target);
        using var impatience = CancellationTokenSource.CreateLinkedTokenSource(_token);
        ValueTask<TunnelSession> dialing = peers.Source.DialAsync(ticket, impatience.Token);

        await impatience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dialing.AsTask());
    }

    private async Task AssertFailsAsync(TunnelFailure failure, string words, TunnelEndpoint source, Ticket ticket)
    {
        TunnelException error = await Assert.ThrowsAsync<TunnelException>(() => source.DialAsync(ticket, _token).AsTask());
        Assert.Equal(failure, error.Reason);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }
}
