using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.Tests;

/// <summary>What a ticket admits and what it does not, seen from the command line.</summary>
public sealed class TicketTests
{
    [Fact]
    public async Task A_ticket_admits_one_migration_and_pings_do_not_spend_it()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 1, filesMegabytes: 1);
        string ticket = await peers.ReceiveAsync();

        for (int i = 0; i < 2; i++)
        {
            CommandResult ping = await peers.Source.RunAsync(MigrationPeers.Program, ["ping", ticket, "--json"]);
            Assert.True(ping.ExitCode == 0, ping.ToString());
            Assert.Contains("\"path\":\"direct\"", ping.Output, StringComparison.Ordinal);
        }
        MigrateResult first = await peers.MigrateAsync(WitnessContainer.Name, ticket);
        Assert.True(first.ExitCode == 0, first.Everything);

        CommandResult again = await peers.Source.RunAsync(MigrationPeers.Program, ["ping", ticket, "--json"]);
        Assert.Equal(4, again.ExitCode);
        Assert.Contains("used", again.Output, StringComparison.OrdinalIgnoreCase);
        Assert.NotEqual(ticket, await peers.TicketAsync());
    }

    [Fact]
    public async Task An_altered_an_expired_and_a_misdirected_ticket_are_refused_with_a_reason_and_the_container_runs_on()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 1, filesMegabytes: 1);
        string ticket = await peers.ReceiveAsync("--ticket-lifetime", "1");

        string altered = ticket[..20] + (ticket[20] == 'a' ? 'b' : 'a') + ticket[21..];
        MigrateResult result = await peers.MigrateAsync(WitnessContainer.Name, altered);
        Assert.Equal((2, "failed"), (result.ExitCode, result.Text("event")));
        Assert.Contains("altered", result.Text("reason"), StringComparison.Ordinal);

        await Task.Delay(TimeSpan.FromSeconds(1.5), TestContext.Current.CancellationToken);
        result = await peers.MigrateAsync(WitnessContainer.Name, ticket);
        Assert.Equal(4, result.ExitCode);
        Assert.Contains("expired", result.Text("reason"), StringComparison.Ordinal);

        await peers.Receive!.DisposeAsync();
        await using LabProcess other = await peers.ReceiveElsewhereAsync();
        result = await peers.MigrateAsync(WitnessContainer.Name, Redirect(await peers.ReceiveAsync(), await peers.OtherTicketAsync()));
        Assert.Equal((4, "failed", "source"), (result.ExitCode, result.Text("event"), result.Text("runningAt")));
        Assert.Contains("did not answer", result.Text("reason"), StringComparison.Ordinal);
        Assert.NotNull(await WitnessContainer.AskAsync(peers.Source));
    }

    /// <summary>A ticket with the secret of one peer that names another, which is there and listens.</summary>
    private static string Redirect(string ticket, string otherTicket)
    {
        Assert.True(Ticket.TryParse(ticket, out Ticket? one, out _));
        Assert.True(Ticket.TryParse(otherTicket, out Ticket? other, out _));
        return (one with { Responder = other.Responder, Hints = other.Hints }).Format();
    }
}
