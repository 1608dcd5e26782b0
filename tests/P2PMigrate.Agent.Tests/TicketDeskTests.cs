using System.Net;
using P2PMigrate.Agent.Output;
using P2PMigrate.Agent.Reception;
using P2PMigrate.Agent.State;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Tests;

public sealed class TicketDeskTests
{
    /// <summary>A source that is let in to ask what became of its job has no ticket, and brings no container.</summary>
    [Fact]
    [Trait("Spec", "ID-15")]
    [Trait("Spec", "MIG-193")]
    public async Task A_peer_that_may_ask_holds_no_ticket()
    {
        using PrivateIdentity own = PrivateIdentity.Create(CryptographicEntropy.Instance), other = PrivateIdentity.Create(CryptographicEntropy.Instance);
        await using TunnelEndpoint receiver = await OpenAsync(own), source = await OpenAsync(other);
        string directory = Directory.CreateTempSubdirectory("p2pmigrate-desk-").FullName;
        await using var desk = new TicketDesk(receiver, new TicketFile(directory), TimeSpan.FromHours(1), file: Path.Combine(directory, "ticket"), new JsonOutput(TextWriter.Null));
        await desk.OpenAsync(TestContext.Current.CancellationToken);
        await receiver.AdmitAsync(other.Public, TestContext.Current.CancellationToken);
        Assert.True(Ticket.TryParse((await File.ReadAllTextAsync(Path.Combine(directory, "ticket"), TestContext.Current.CancellationToken)).Trim(), out Ticket? ticket, out _));

        Assert.False(await IsIssuedAsync(source.DialAsync(own.Public, addresses: [receiver.LocalEndPoint], cancellationToken: TestContext.Current.CancellationToken)));
        Assert.True(await IsIssuedAsync(source.DialAsync(ticket with { Hints = [NetworkAddress.From(receiver.LocalEndPoint)] }, TestContext.Current.CancellationToken)));
        Directory.Delete(directory, recursive: true);

        async Task<bool> IsIssuedAsync(ValueTask<TunnelSession> dialling)
        {
            await using TunnelSession near = await dialling;
            await using TunnelSession far = await receiver.AcceptAsync(TestContext.Current.CancellationToken);
            return await desk.IsIssuedAsync(far.Ticket, TestContext.Current.CancellationToken);
        }
    }

    private static async Task<TunnelEndpoint> OpenAsync(PrivateIdentity identity) =>
        await TunnelEndpoint.OpenAsync(new TunnelOptions { Identity = identity, Listen = new IPEndPoint(IPAddress.Loopback, 0), MapPortOnGateway = false }, TestContext.Current.CancellationToken);
}
