namespace P2PMigrate.Protocol.Gateway;

/// <summary>What a PCP server says to a request: RFC 6887, section 7.4.</summary>
internal enum PcpResult : byte
{
    Success = 0,
    UnsupportedVersion = 1,
    NotAuthorized = 2,
    MalformedRequest = 3,
    UnsupportedOpcode = 4,
    UnsupportedOption = 5,
    MalformedOption = 6,
    NetworkFailure = 7,
    NoResources = 8,
    UnsupportedProtocol = 9,
    UserExceededQuota = 10,
    CannotProvideExternal = 11,
    AddressMismatch = 12,
    ExcessiveRemotePeers = 13,
}

/// <summary>Words for it.</summary>
internal static class PcpResultText
{
    /// <summary>Does it pass by itself, so that asking again later may help?</summary>
    public static bool IsPassing(this PcpResult result) =>
        result is PcpResult.NetworkFailure or PcpResult.NoResources or PcpResult.UserExceededQuota;

    /// <summary>One sentence that a person can read in a log.</summary>
    public static string ToSentence(this PcpResult result) => result switch
    {
        PcpResult.Success => "The gateway mapped the port.",
        PcpResult.UnsupportedVersion => "The gateway does not speak this version of PCP.",
        PcpResult.NotAuthorized => "The gateway does not let this machine map ports by PCP; look for a setting of that name.",
        PcpResult.MalformedRequest => "The gateway says that it does not understand the PCP request.",
        PcpResult.UnsupportedOpcode => "The gateway's PCP maps no ports.",
        PcpResult.UnsupportedOption => "The gateway does not know a PCP option.",
        PcpResult.MalformedOption => "The gateway says that it does not understand a PCP option.",
        PcpResult.NetworkFailure => "The gateway has no connection of its own at the moment.",
        PcpResult.NoResources => "The gateway has no room for another mapping at the moment.",
        PcpResult.UnsupportedProtocol => "The gateway's PCP maps no UDP ports.",
        PcpResult.UserExceededQuota => "This machine has as many mappings as the gateway allows.",
        PcpResult.CannotProvideExternal => "The gateway cannot give the external port that was asked for.",
        PcpResult.AddressMismatch => "There is another NAT between this machine and the gateway.",
        PcpResult.ExcessiveRemotePeers => "The gateway cannot filter by so many remote peers.",
        _ => $"The gateway refused PCP with the unknown code {(byte)result}.",
    };
}
