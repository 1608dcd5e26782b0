using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using P2PMigrate.Lab;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Rendezvous;
using P2PMigrate.Tunnel;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>
/// Both ends of the measurements that need more than a speed test, as programs of their own in a node. They embed the
/// tunnel as any program would. Times are the machine's monotonic clock, which is the same in all nodes.
/// </summary>
internal static class PeerProgram
{
    /// <summary>For how long an idle session carries data before it is idle.</summary>
    public static readonly TimeSpan BusyBeforeIdle = TimeSpan.FromSeconds(4);

    private const int Piece = 64 << 10;
    private const int Question = 4 << 10;

    /// <summary>Runs a rendezvous server with its relay until the end of its input; prints where it listens.</summary>
    public static async Task<int> MeetAsync(string address)
    {
        await using RendezvousServer server = RendezvousServer.Start(new IPEndPoint(IPAddress.Parse(address), 0));
        Console.WriteLine(server.LocalEndPoint);
        await Console.In.ReadToEndAsync();
        return 0;
    }

    /// <summary>
    /// Prints a ticket, serves the first session to its end, prints when how many bytes of bulk came. What follows the
    /// address: <c>at SERVER</c>, a rendezvous server to register at; <c>send SECONDS</c>, to send bulk for so long.
    /// </summary>
    public static async Task<int> ServeAsync(string address, string[] more)
    {
        using PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        await using TunnelEndpoint endpoint = await TunnelEndpoint.OpenAsync(new TunnelOptions
        {
            Identity = identity, Listen = new IPEndPoint(IPAddress.Parse(address), 0),
            Rendezvous = Option(more, "at") is { } server && ServerName.TryParse(server, out ServerName name) ? name : null,
        });
        await endpoint.WaitRegisteredAsync();
        Console.WriteLine((await endpoint.IssueTicketAsync(TimeSpan.FromHours(1))).Format());
        await using TunnelSession session = await endpoint.AcceptAsync();
        if (Option(more, "send") is { } seconds)
            await SendAsync(session, Stopwatch.GetTimestamp(), Seconds(seconds));
        var arrivals = new ArrivalLog();
        try
        {
            while (true)
            {
                ITunnelStream stream = await session.AcceptStreamAsync();
                _ = stream.Priority == StreamPriority.Bulk ? DrainAsync(stream, arrivals) : AnswerAsync(stream);
            }
        }
        catch (TunnelException)
        {
            Console.WriteLine(arrivals.ToJson());
            return 0;
        }
    }

    /// <summary>
    /// Dials, says so, and for so long does nothing after a little of bulk (<c>idle</c>), sends (<c>bulk</c>), sends and asks (<c>ask</c>), or takes what the
    /// other side sends (<c>pull</c>) and prints when how much came.
    /// </summary>
    public static async Task<int> RunAsync(string ticketText, string mode, string seconds)
    {
        if (!Ticket.TryParse(ticketText, out Ticket? ticket, out TicketError error))
            throw new LabException(error.ToSentence());
        using PrivateIdentity identity = PrivateIdentity.Create(CryptographicEntropy.Instance);
        await using TunnelEndpoint endpoint = await TunnelEndpoint.OpenAsync(new TunnelOptions { Identity = identity });
        await using TunnelSession session = await endpoint.DialAsync(ticket);
        Console.WriteLine("connected");
        if (mode == "pull")
            return await PullAsync(session);
        TimeSpan time = Seconds(seconds);
        long start = Stopwatch.GetTimestamp();
        Task sending = mode == "idle" ? RestAsync(session, start, time) : SendAsync(session, start, time);
        double[] answers = mode == "ask" ? await AskAsync(session, start, time) : [];
        await sending;
        Console.WriteLine(JsonSerializer.Serialize(new { answers }));
        return 0;
    }

    private static async Task<int> PullAsync(TunnelSession session)
    {
        var arrivals = new ArrivalLog();
        await using (ITunnelStream stream = await session.AcceptStreamAsync())
            await DrainAsync(stream, arrivals);
        Console.WriteLine(arrivals.ToJson());
        return 0;
    }

    private static string? Option(string[] options, string name) =>
        Array.IndexOf(options, name) is >= 0 and var at && at + 1 < options.Length ? options[at + 1] : null;

    private static TimeSpan Seconds(string text) => TimeSpan.FromSeconds(double.Parse(text, CultureInfo.InvariantCulture));

    private static async Task RestAsync(TunnelSession session, long start, TimeSpan time)
    {
        await SendAsync(session, start, BusyBeforeIdle);
        await Task.Delay(time - BusyBeforeIdle);
    }

    private static async Task SendAsync(TunnelSession session, long start, TimeSpan time)
    {
        await using ITunnelStream stream = await session.OpenStreamAsync(StreamPriority.Bulk);
        byte[] piece = new byte[Piece];
        while (Stopwatch.GetElapsedTime(start) < time)
            await stream.Output.WriteAsync(piece);
        await stream.Output.CompleteAsync();
    }

    private static async Task<double[]> AskAsync(TunnelSession session, long start, TimeSpan time)
    {
        await using ITunnelStream stream = await session.OpenStreamAsync(StreamPriority.Urgent);
        // The first answers come before the bulk has filled the way.
        return await new QuestionSchedule(stream, Question).RunAsync(start, time, skip: time / 4);
    }

    private static async Task DrainAsync(ITunnelStream stream, ArrivalLog arrivals)
    {
        try
        {
            while (true)
            {
                System.IO.Pipelines.ReadResult read = await stream.Input.ReadAsync();
                arrivals.Note(read.Buffer.Length);
                stream.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return;
            }
        }
        catch (TunnelException)
        {
            // The session's end is seen where streams are accepted.
        }
    }

    private static async Task AnswerAsync(ITunnelStream stream)
    {
        try
        {
            byte[] answer = new byte[Question];
            while (true)
            {
                System.IO.Pipelines.ReadResult question = await stream.Input.ReadAtLeastAsync(Question);
                if (question.Buffer.Length < Question)
                    return;
                stream.Input.AdvanceTo(question.Buffer.GetPosition(Question));
                await stream.Output.WriteAsync(answer);
            }
        }
        catch (TunnelException)
        {
            // As above.
        }
    }
}
