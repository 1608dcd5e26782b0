using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Identity;

/// <summary>
/// A responder's invitation, passed from person to person as one word <c>p2pm1…</c>: whom to reach, where, with which
/// one-time secret, until when. It admits one migration. Immutable; whoever reads it may use it, so it is never logged.
/// </summary>
/// <remarks>spec: ID-10. The text form is <see cref="TicketText"/>'s.</remarks>
public sealed record Ticket
{
    /// <summary>Direct addresses that a ticket may name.</summary>
    public const int MaxHints = 4;

    /// <summary>Who issued the ticket and will answer.</summary>
    public required PublicIdentity Responder { get; init; }

    /// <summary>The server at which the responder is registered, or null when only hints lead to it.</summary>
    public ServerName? Rendezvous { get; init; }

    /// <summary>Addresses at which the responder may be reached without a server; at most <see cref="MaxHints"/>.</summary>
    public IReadOnlyList<NetworkAddress> Hints { get; init; } = [];

    /// <summary>The permission itself.</summary>
    public required TicketSecret Secret { get; init; }

    /// <summary>From this second on (UTC, Unix epoch) the ticket is expired.</summary>
    public required long ExpiresAtUnixSeconds { get; init; }

    /// <summary>The public name of the ticket.</summary>
    public TicketId Id => Secret.DeriveId();

    /// <summary>
    /// The standing permission of <paramref name="own"/> at <paramref name="responder"/>, which must have admitted it. Null for a public key of low order.
    /// It never expires and is of no use to anybody else.
    /// </summary>
    // spec: ID-17
    public static Ticket? Standing(PrivateIdentity own, PublicIdentity responder, ServerName? rendezvous, IReadOnlyList<NetworkAddress> hints) =>
        StandingPermission.TryDeriveAsInitiator(own, responder, out TicketSecret secret)
            ? new Ticket { Responder = responder, Rendezvous = rendezvous, Hints = hints, Secret = secret, ExpiresAtUnixSeconds = long.MaxValue }
            : null;

    /// <summary>Is it past its time? The caller passes the time of day in UTC seconds.</summary>
    public bool IsExpired(long nowUnixSeconds) => nowUnixSeconds >= ExpiresAtUnixSeconds; // spec: ID-14

    /// <summary>The one word that carries the ticket.</summary>
    public string Format() => TicketText.Format(this);

    /// <summary>Reads a word made by <see cref="Format"/>; blanks around it are ignored. Says nothing about expiry.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Ticket? ticket, out TicketError error) =>
        TicketText.TryParse(text, out ticket, out error);

    /// <summary>The ticket's id and its issuer; never the secret.</summary>
    public override string ToString() => $"ticket {Id} of {Responder.PeerId.ToShortString()}";
}

/// <summary>Why a text is not a ticket.</summary>
public enum TicketError
{
    /// <summary>It is one.</summary>
    None = 0,

    /// <summary>Nothing was given.</summary>
    Empty,

    /// <summary>It does not start with <c>p2pm</c>.</summary>
    WrongPrefix,

    /// <summary>It is a ticket of a version that this program does not know.</summary>
    UnknownVersion,

    /// <summary>It holds a character that no ticket has; upper case is one.</summary>
    WrongCharacter,

    /// <summary>It is far too long.</summary>
    TooLong,

    /// <summary>It ends too early, or a character was changed.</summary>
    Damaged,

    /// <summary>The checksum is right but a field is not: made by a faulty program.</summary>
    BadField,
}

/// <summary>Words for <see cref="TicketError"/>.</summary>
public static class TicketErrorText
{
    /// <summary>One sentence for the person who typed the ticket.</summary>
    public static string ToSentence(this TicketError error) => error switch
    {
        TicketError.None => "The ticket is well-formed.",
        TicketError.Empty => "No ticket was given; copy the whole word that `p2pmigrate receive` printed.",
        TicketError.WrongPrefix => "This is not a ticket: a ticket starts with `p2pm1`.",
        TicketError.UnknownVersion => "This ticket was made by another version of p2pmigrate; use the same version on both sides.",
        TicketError.WrongCharacter => "The ticket holds a character that no ticket has (only a-z and 2-7 follow `p2pm1`, in lower case); copy it again.",
        TicketError.TooLong => "This is longer than any ticket; copy only the ticket.",
        TicketError.Damaged => "The ticket is incomplete or was altered: its checksum does not match; copy the whole word again.",
        _ => "The ticket is intact but makes no sense; the program that made it is faulty.",
    };
}
