// Sends standard input to another machine, through NATs, encrypted:
//   there:  sample receive [HOST:PORT of a rendezvous server]   prints a ticket, then what comes
//   here:   sample send TICKET < file
using Nerdbank.Streams;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Tunnel;

using PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
switch (args)
{
    case ["receive", .. var where]:
        ServerName? server = where is [var name] && ServerName.TryParse(name, out ServerName parsed) ? parsed : null;
        await using (TunnelEndpoint endpoint = await TunnelEndpoint.OpenAsync(new TunnelOptions { Identity = identity, Rendezvous = server }))
        {
            await endpoint.WaitRegisteredAsync();
            Console.WriteLine((await endpoint.IssueTicketAsync(TimeSpan.FromHours(1))).Format());
            await using TunnelSession session = await endpoint.AcceptAsync();
            await endpoint.SpendTicketAsync(session.Ticket);
            await using ITunnelStream stream = await session.AcceptStreamAsync();
            await stream.AsStream().CopyToAsync(Console.OpenStandardOutput());
            await stream.Output.CompleteAsync(); // Tells the sender that everything is here.
            await session.Completion;
        }

        return 0;
    case ["send", var text] when Ticket.TryParse(text, out Ticket? ticket, out _):
        await using (TunnelEndpoint endpoint = await TunnelEndpoint.OpenAsync(new TunnelOptions { Identity = identity }))
        {
            await using TunnelSession session = await endpoint.DialAsync(ticket);
            await using ITunnelStream stream = await session.OpenStreamAsync(StreamPriority.Bulk);
            await Console.OpenStandardInput().CopyToAsync(stream.Output.AsStream(leaveOpen: true));
            await stream.Output.CompleteAsync();
            await stream.Input.ReadAsync(); // Ends when the receiver has everything.
            Console.Error.WriteLine($"{session.Statistics.PayloadSent} bytes, {session.PrimaryPath}");
        }

        return 0;
    default:
        Console.Error.WriteLine("usage: sample receive [HOST:PORT] | sample send TICKET");
        return 2;
}
