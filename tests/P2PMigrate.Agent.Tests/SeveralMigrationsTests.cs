using System.Globalization;
using System.Text.Json;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Several;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>Several migrations at once.</summary>
public sealed class SeveralMigrationsTests
{
    private const string Ticket = "/tmp/several-ticket";
    private const string ThirdState = "/data/third-peer";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    [Fact]
    [Trait("Spec", "MIG-06")]
    [Trait("Spec", "MIG-154")]
    public async Task They_go_both_ways_and_to_a_third_peer_and_no_container_goes_twice()
    {
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        CountingContainer[] all = [new("first"), new("second"), new("third"), new("back")];
        await Task.WhenAll(all.Select(container => container.StartAsync(container.Name == "back" ? peers.Target : peers.Source, megabytes: 8, filesMegabytes: 8)));
        string one = await peers.ReceiveAsync();
        await using LabProcess third = await ReceiveAsync(peers.Target, "--state-dir", ThirdState);
        string toThird = await TicketAsync(peers.Target);
        await using LabProcess home = await ReceiveAsync(peers.Source);
        string toHome = await TicketAsync(peers.Source);

        await using LabProcess first = await peers.StartMigrateAsync("first", one, "--max-rate", "30M");
        string two = await NextTicketAsync(peers.TicketAsync, one);
        await using LabProcess second = await peers.StartMigrateAsync("second", two, "--max-rate", "30M");
        await using LabProcess away = await peers.StartMigrateAsync("third", toThird, "--max-rate", "30M");
        await using LabProcess back = await peers.Target.StartAsync(MigrationPeers.Program, ["migrate", "back", "--to", toHome, "--json", "--max-rate", "30M"]);
        MigrateResult twice = await peers.MigrateAsync("first", await NextTicketAsync(peers.TicketAsync, two));

        Assert.True(twice.ExitCode == 3, twice.Everything);
        Assert.Contains("takes part in another migration", twice.Text("reason"), StringComparison.Ordinal);
        foreach (LabProcess migrate in new[] { first, second, away, back })
        {
            MigrateResult result = await MigrationPeers.EndOfAsync(migrate);
            Assert.True(result.ExitCode == 0, result.Everything);
        }

        foreach (CountingContainer container in all)
        {
            bool isBack = container.Name == "back";
            Assert.True(await container.RunsAfterArrivalAsync(isBack ? peers.Source : peers.Target, container.Name == "third" ? ThirdState : "/var/lib/p2pmigrate"), container.Name);
            Assert.False(container.IsOn(isBack ? peers.Target : peers.Source), container.Name);
        }
    }

    [Fact]
    [Trait("Spec", "MIG-155")]
    public async Task They_share_a_link_fairly()
    {
        await using FairLink link = await FairLink.RaiseAsync("delay=10ms rate=60mbit queue=2bdp");
        CountingContainer[] all = [new("one"), new("two"), new("three")];
        foreach (CountingContainer container in all)
            await container.StartAsync(link.Source, megabytes: 2, filesMegabytes: 60);
        await using LabProcess receive = await ReceiveAsync(link.Target);
        var migrations = new List<LabProcess>();
        string ticket = "";
        foreach (CountingContainer container in all)
        {
            string last = ticket;
            ticket = await NextTicketAsync(() => TicketAsync(link.Target), last);
            migrations.Add(await link.Source.StartAsync(MigrationPeers.Program, ["migrate", container.Name, "--to", ticket, "--json"]));
        }

        foreach (LabProcess migrate in migrations)
            await migrate.Output.WaitForAsync(line => line.Contains("\"event\":\"progress\"", StringComparison.Ordinal), s_limit);
        await Task.Delay(TimeSpan.FromSeconds(2));
        long[] before = [.. migrations.Select(BytesOf)];
        await Task.Delay(TimeSpan.FromSeconds(10));
        double[] shares = [.. migrations.Select((migrate, index) => (double)(BytesOf(migrate) - before[index]))];

        double fairness = Math.Pow(shares.Sum(), 2) / (shares.Length * shares.Sum(share => share * share));
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{string.Join(", ", shares.Select(share => $"{share / 1e6:0.0}"))} MB in 10 s: Jain {fairness:0.00}"));
        Assert.All(shares, share => Assert.True(share > 0));
        Assert.True(fairness >= 0.8, $"Jain {fairness}");
        foreach (LabProcess migrate in migrations)
        {
            MigrateResult result = await MigrationPeers.EndOfAsync(migrate);
            Assert.True(result.ExitCode == 0, result.Everything);
            await migrate.DisposeAsync();
        }
    }

    private static long BytesOf(LabProcess migrate) =>
        migrate.Output.Text.Split('\n').LastOrDefault(line => line.Contains("\"event\":\"progress\"", StringComparison.Ordinal)) is { } line
            ? JsonDocument.Parse(line).RootElement.GetProperty("bytesDone").GetInt64() : 0;

    private static async Task<LabProcess> ReceiveAsync(VirtualHost host, params string[] options)
    {
        await host.ShellAsync($"rm -f {Ticket}");
        string[] server = host.Name == "source" || host.Name == "target" ? ["--rendezvous", MigrationPeers.RendezvousAddress] : [];
        LabProcess receive = await host.StartAsync(MigrationPeers.Program, ["receive", .. server, "--ticket-file", Ticket, "--json", .. options]);
        await receive.Output.WaitForAsync(line => line.Contains("\"event\":\"ticket\"", StringComparison.Ordinal), s_limit);
        return receive;
    }

    private static async Task<string> TicketAsync(VirtualHost host) => (await host.ReadTextAsync(Ticket)).Trim();

    private static async Task<string> NextTicketAsync(Func<Task<string>> read, string last)
    {
        for (long deadline = Environment.TickCount64 + (long)s_limit.TotalMilliseconds; Environment.TickCount64 < deadline; await Task.Delay(20))
        {
            if (await read() is { Length: > 0 } ticket && ticket != last)
                return ticket;
        }

        throw new LabException("no other ticket was issued while the last one's holder migrates");
    }
}
