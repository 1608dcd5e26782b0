using System.Net;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.RendezvousBench;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>The load test of the bench in its short form, against a server in this process: does everybody stay, does every offer arrive?</summary>
public sealed class LoadTests
{
    [Fact]
    public async Task Five_hundred_peers_stay_registered_and_every_offer_reaches_its_peer()
    {
        await using RendezvousServer server = RendezvousServer.Start(new IPEndPoint(IPAddress.Loopback, 0));
        var plan = new LoadPlan
        {
            Peers = 500,
            PeersPerSecond = 500,
            Hold = TimeSpan.FromSeconds(4),
            RefreshInterval = TimeSpan.FromSeconds(1),
            Initiators = 50,
            OfferRates = [100],
            OfferTime = TimeSpan.FromSeconds(2),
        };

        LoadFigures figures = await LoadRun.RunAsync(plan, server.LocalEndPoint, _ => Task.FromResult(Read(server)), TestContext.Current.SendDiagnosticMessage);

        Assert.Equal((500, 500, 500, 0), (figures.Registered, figures.RegisteredAfterHold, figures.RegisteredAtEnd, figures.Unreachable));
        Assert.True(figures.RequestsPerSecond * figures.HoldSeconds >= 3 * 500, "They were not refreshed.");
        OfferFigures offers = Assert.Single(figures.Offers);
        Assert.Equal((200, 200, 200), (offers.Begun, offers.Delivered, offers.Answered));
    }

    private static ServerReading Read(RendezvousServer server)
    {
        RendezvousServerStatistics held = server.Statistics;
        (long resident, double cpu) = ServerReading.OfProcess(Environment.ProcessId);
        return new ServerReading(held.Registrations, 0, resident, cpu);
    }
}
