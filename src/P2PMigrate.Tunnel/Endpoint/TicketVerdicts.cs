using P2PMigrate.Protocol.Handshake;

namespace P2PMigrate.Tunnel.Endpoint;

/// <summary>Words for the responder's verdict on a ticket.</summary>
internal static class TicketVerdicts
{
    /// <summary>Why a ticket is refused, as half a sentence.</summary>
    public static string ToReason(TicketVerdict verdict) => verdict switch
    {
        TicketVerdict.Spent => "the ticket was used already; it admits one migration",
        TicketVerdict.Expired => "the ticket has expired",
        _ => "the ticket is open",
    };
}
