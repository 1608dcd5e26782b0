using P2PMigrate.Protocol.Identity;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Rendezvous.Tests;

/// <summary>A session between two endpoints of a test, both ends of it.</summary>
internal sealed record Conversation(TunnelSession Near, TunnelSession Far)
{
    /// <summary>Has <paramref name="source"/> dial a new ticket of <paramref name="target"/>. Once: what fails is told.</summary>
    public static async Task<Conversation> BeginAsync(TunnelEndpoint source, TunnelEndpoint target, CancellationToken cancellationToken)
    {
        Ticket ticket = await target.IssueTicketAsync(TimeSpan.FromMinutes(5), cancellationToken);
        ValueTask<TunnelSession> accepting = target.AcceptAsync(cancellationToken);
        TunnelSession near = await source.DialAsync(ticket, cancellationToken);
        return new Conversation(near, await accepting);
    }

    /// <summary>Sends bytes to the far end, which sends them back, and compares.</summary>
    public async Task EchoAsync(byte[] sent, CancellationToken cancellationToken)
    {
        ITunnelStream opened = await Near.OpenStreamAsync(StreamPriority.Bulk, cancellationToken);
        Task echoing = Task.Run(
            async () =>
            {
                ITunnelStream accepted = await Far.AcceptStreamAsync(cancellationToken);
                await accepted.Input.CopyToAsync(accepted.Output, cancellationToken);
                await accepted.Output.CompleteAsync();
            },
            cancellationToken);
        using var echoed = new MemoryStream();
        Task reading = opened.Input.CopyToAsync(echoed, cancellationToken);
        await opened.Output.WriteAsync(sent, cancellationToken);
        await opened.Output.CompleteAsync();
        await Task.WhenAll(echoing, reading);
        Assert.Equal(sent, echoed.ToArray());
    }
}
