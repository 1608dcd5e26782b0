namespace P2PMigrate.Protocol.Wire;

/// <summary>
/// Why bytes from somebody else were not accepted. Refusals are counted and traced; nobody is answered because of one
/// unless the spec says so. See <see cref="RefusalText.ToSentence"/> for words.
/// </summary>
public enum Refusal
{
    /// <summary>Accepted.</summary>
    None = 0,

    /// <summary>Shorter than its own layout says.</summary>
    Truncated,

    /// <summary>Bytes are left over after the last field.</summary>
    TrailingBytes,

    /// <summary>The first byte or the message type is not the one this parser reads.</summary>
    WrongType,

    /// <summary>A version that this side does not speak.</summary>
    UnknownVersion,

    /// <summary>A reserved or padding byte is not zero.</summary>
    ReservedNotZero,

    /// <summary>A count or a length is over its limit.</summary>
    OverLimit,

    /// <summary>A field holds a value that has no meaning.</summary>
    BadValue,

    /// <summary>A checksum or a message authentication code does not match.</summary>
    BadMac,

    /// <summary>Decryption failed: another key, or altered on the way.</summary>
    NotAuthentic,

    /// <summary>Seen before, or older than what was already accepted.</summary>
    Replayed,

    /// <summary>The sender has to prove its address first; a cookie was sent.</summary>
    CookieRequired,

    /// <summary>The ticket id belongs to no ticket that this peer issued.</summary>
    UnknownTicket,

    /// <summary>No algorithm in common.</summary>
    NoCommonSuite,

    /// <summary>It answers no question that is open now.</summary>
    Unexpected,

    /// <summary>A limit on work for others is reached; try again later.</summary>
    Busy,
}

/// <summary>Words for refusals.</summary>
public static class RefusalText
{
    /// <summary>One sentence that a person can read in a log.</summary>
    public static string ToSentence(this Refusal refusal) => refusal switch
    {
        Refusal.None => "Accepted.",
        Refusal.Truncated => "The message is shorter than its layout says.",
        Refusal.TrailingBytes => "Bytes are left over after the last field of the message.",
        Refusal.WrongType => "The message is not of the expected type.",
        Refusal.UnknownVersion => "The peer speaks a version that this side does not know.",
        Refusal.ReservedNotZero => "A reserved or padding byte is not zero.",
        Refusal.OverLimit => "A count or a length in the message is over its limit.",
        Refusal.BadValue => "A field of the message holds a value that has no meaning.",
        Refusal.BadMac => "The authentication code of the message does not match.",
        Refusal.NotAuthentic => "The message could not be decrypted: it was made with another key, or altered on the way.",
        Refusal.Replayed => "The message was seen before.",
        Refusal.CookieRequired => "The sender has to prove its address first.",
        Refusal.UnknownTicket => "The message names a ticket that this peer did not issue.",
        Refusal.NoCommonSuite => "The two sides have no packet protection in common.",
        Refusal.Unexpected => "The message answers nothing that was asked.",
        Refusal.Busy => "A limit is reached; try again later.",
        _ => "The message was refused.",
    };
}
