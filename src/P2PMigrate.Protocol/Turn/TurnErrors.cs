namespace P2PMigrate.Protocol.Turn;

/// <summary>Numbers with which a TURN server refuses, and what they mean for a person (RFC 8489, section 14.8; RFC 8656, section 19).</summary>
internal static class TurnErrors
{
    /// <summary>Another server shall be asked.</summary>
    public const int TryAlternate = 300;

    /// <summary>Credentials are missing or wrong.</summary>
    public const int Unauthenticated = 401;

    /// <summary>There is no such allocation, or one already.</summary>
    public const int AllocationMismatch = 437;

    /// <summary>The nonce is too old.</summary>
    public const int StaleNonce = 438;

    /// <summary>The allocation is another user's.</summary>
    public const int WrongCredentials = 441;

    /// <summary>The user has too many allocations.</summary>
    public const int QuotaReached = 486;

    /// <summary>The server has no room.</summary>
    public const int InsufficientCapacity = 508;

    /// <summary>One sentence.</summary>
    public static string ToSentence(string server, int code) => $"The TURN server {server} {Reason(code)}";

    /// <summary>Nothing came.</summary>
    public static string Silence(string server) => $"The TURN server {server} does not answer; check its address, and that UDP may leave this network.";

    /// <summary>It gave addresses and took them away, more than once in some seconds.</summary>
    public static string Forgetful(string server) => $"The TURN server {server} forgets its allocations again and again.";

    private static string Reason(int code) => code switch
    {
        TryAlternate => "sends everybody on to another server, and that one again.",
        Unauthenticated => "refuses the user name or the password.",
        403 => "forbids this user to relay anything.",
        AllocationMismatch => "says again and again that the allocation is somebody else's.",
        WrongCredentials => "says that the allocation belongs to another user.",
        442 => "does not relay UDP.",
        QuotaReached => "has given this user as many allocations as it may have; it is asked again in a minute.",
        InsufficientCapacity => "has no room for another allocation; it is asked again in a minute.",
        420 => "speaks a TURN that this program does not understand.",
        500 => "has an error of its own.",
        0 => "sent an answer that makes no sense.",
        _ => $"refused with error {code}.",
    };
}
