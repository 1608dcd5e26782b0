using P2PMigrate.Agent.Output;
using P2PMigrate.Agent.State;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Reception;

/// <summary>
/// Sees to it that there is always one ticket that admits somebody: shows it, writes it to the file that the user named, and issues the
/// next one when it was spent or has expired. What was issued and spent is kept in <paramref name="store"/>, so that a restart
/// changes nothing for whoever holds a ticket. Safe for use from several threads.
/// </summary>
internal sealed class TicketDesk(TunnelEndpoint endpoint, TicketFile store, TimeSpan lifetime, string? file, IOutput output) : IAsyncDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private readonly SemaphoreSlim _issuing = new(1);
    private Task _renewal = Task.CompletedTask;

    /// <summary>Admits the holders of tickets of a former life again, issues the first ticket, and later ones as they expire.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        await endpoint.RestoreTicketsAsync(store.Load(), cancellationToken).ConfigureAwait(false);
        await IssueAsync(cancellationToken).ConfigureAwait(false);
        _renewal = RenewAsync();
    }

    /// <summary>Is it a ticket, spent or not? Whoever was let in to ask (MIG-193) has none.</summary>
    // spec: ID-15
    public async ValueTask<bool> IsIssuedAsync(TicketId ticket, CancellationToken cancellationToken) =>
        (await endpoint.GetTicketsAsync(cancellationToken).ConfigureAwait(false)).Any(issued => issued.Id == ticket);

    /// <summary>Spends the session's ticket. Null, or the sentence with which its holder is refused.</summary>
    public async ValueTask<string?> AdmitAsync(TicketId ticket, CancellationToken cancellationToken)
    {
        await _issuing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (!await endpoint.SpendTicketAsync(ticket, cancellationToken).ConfigureAwait(false))
                return "The ticket has been used for another migration meanwhile; each ticket admits one.";
            await SaveAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }
        finally
        {
            _issuing.Release();
        }
    }

    /// <summary>Issues, writes and shows a ticket.</summary>
    public async Task IssueAsync(CancellationToken cancellationToken)
    {
        await _issuing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Ticket ticket = await endpoint.IssueTicketAsync(lifetime, cancellationToken).ConfigureAwait(false);
            await SaveAsync(cancellationToken).ConfigureAwait(false);
            string text = ticket.Format();
            if (file is not null)
                Write(file, text);
            output.Show(new TicketIssued(text, endpoint.PeerId.ToString(), DateTimeOffset.FromUnixTimeSeconds(ticket.ExpiresAtUnixSeconds)));
        }
        finally
        {
            _issuing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        await _renewal.ConfigureAwait(false);
        _closing.Dispose();
        _issuing.Dispose();
    }

    private async Task RenewAsync()
    {
        using var timer = new PeriodicTimer(lifetime);
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token).ConfigureAwait(false))
                await IssueAsync(_closing.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The desk closes.
        }
    }

    // Issuing and spending are saved one after the other; the endpoint alone knows what is open.
    private async Task SaveAsync(CancellationToken cancellationToken) =>
        store.Save(await endpoint.GetTicketsAsync(cancellationToken).ConfigureAwait(false));

    private static void Write(string file, string text)
    {
        try
        {
            SecretFile.Replace(file, text + Environment.NewLine);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The ticket cannot be written to {file}: {exception.Message}", exception);
        }
    }
}
