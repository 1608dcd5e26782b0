using System.CommandLine;
using System.Globalization;
using System.Net;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Turn;

namespace P2PMigrate.Agent.Commands;

/// <summary>How people write addresses and durations on the command line, read strictly, refused with what to type instead.</summary>
internal static class PeerAddressing
{
    /// <summary>The longest life of a ticket.</summary>
    private static readonly TimeSpan s_durationMax = TimeSpan.FromDays(30);

    /// <summary>Reads <c>ADDR:PORT</c>; port 0 means any free one.</summary>
    public static IPEndPoint ListenAddress(string text) =>
        IPEndPoint.TryParse(text, out IPEndPoint? address) && text.Contains(':', StringComparison.Ordinal)
            ? address
            : throw new UsageException($"`{text}` is no address to listen at; type ADDR:PORT, such as 0.0.0.0:3478 or [::]:3478.");

    /// <summary>Reads <c>ADDR</c> or <c>ADDR:PORT</c>; null stays null.</summary>
    public static IPEndPoint? AlternateAddress(string? text, int defaultPort) => text is null ? null
        : IPAddress.TryParse(text, out IPAddress? bare) ? new IPEndPoint(bare, defaultPort)
        : IPEndPoint.TryParse(text, out IPEndPoint? address) && address.Port != 0 ? address
        : throw new UsageException($"`{text}` is no address of this machine; type ADDR or ADDR:PORT, such as 192.0.2.2 or [2001:db8::2]:3480.");

    /// <summary>Reads <c>HOST:PORT</c>; null stays null.</summary>
    public static ServerName? Server(string? text) => text is null ? null
        : ServerName.TryParse(text, out ServerName server) ? server
        : throw new UsageException($"`{text}` is no rendezvous server; type HOST:PORT, such as meet.example:3478.");

    /// <summary>Reads <c>turn:USER:PASSWORD@HOST:PORT</c>; null stays null. What is wrong is not repeated, for there may be a password in it.</summary>
    public static TurnServer? TurnServerOf(string? text) => text is null or "" ? null
        : TurnServer.TryParse(text, out TurnServer? server) ? server
        : throw new UsageException(
            $"What --turn or {TurnVariable} names is no TURN server; type turn:USER:PASSWORD@HOST:PORT, with %3A for a colon in the name or the password.");

    /// <summary>Reads <c>90</c> (seconds), <c>90s</c>, <c>15m</c> or <c>24h</c>.</summary>
    public static TimeSpan Duration(string text)
    {
        (string digits, double unit) = text switch
        {
            [.. var head, 's'] => (head, 1),
            [.. var head, 'm'] => (head, 60),
            [.. var head, 'h'] => (head, 3600),
            _ => (text, 1),
        };
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0 && count * unit <= s_durationMax.TotalSeconds
            ? TimeSpan.FromSeconds(count * unit)
            : throw new UsageException($"`{text}` is no duration of at most 30 days; type seconds, or a number with s, m or h, such as 15m.");
    }

    /// <summary>Reads a ticket of another peer.</summary>
    public static Ticket TicketOf(string text, PeerId self)
    {
        if (!Ticket.TryParse(text, out Ticket? ticket, out TicketError error))
            throw new UsageException(error.ToSentence());
        if (ticket.Responder.PeerId == self)
            throw new UsageException("This ticket is this machine's own; use it on the machine that the container is to leave.");
        return ticket;
    }

    /// <summary>The option <c>--listen</c> of commands that talk to peers.</summary>
    public static Option<string?> ListenOption() => new("--listen")
    {
        Description = "The UDP address to use; any free port by default.",
        HelpName = "ADDR:PORT",
    };

    /// <summary>The option of the same commands that leaves the gateway alone; <see cref="PeerConnection"/> reads it.</summary>
    public static Option<bool> NoPortMapping { get; } = new("--no-port-mapping")
    {
        Description = "Do not ask the gateway (by PCP, NAT-PMP or UPnP) to map a port to this machine for as long as the command runs.",
    };

    /// <summary>Where the same is read from as <see cref="Turn"/>, so that the password need not stand in the list of processes.</summary>
    public const string TurnVariable = "P2PMIGRATE_TURN";

    /// <summary>The option of commands that talk to peers that names a TURN server; <see cref="PeerConnection"/> reads it.</summary>
    public static Option<string?> Turn { get; } = new("--turn")
    {
        Description = $"A TURN server that relays when there is no direct path, before the rendezvous server does. {TurnVariable} in the environment says the same, and hides the password from the list of processes.",
        HelpName = "turn:USER:PASSWORD@HOST:PORT",
    };

    /// <summary>The option of commands that talk to peers by which no ports are guessed; <see cref="PeerConnection"/> reads it.</summary>
    public static Option<bool> NoPunching { get; } = new("--no-punching")
    {
        Description = "Where NATs hide their ports, do not look for them with many sockets and datagrams; such peers are reached by the relay then.",
    };
}
