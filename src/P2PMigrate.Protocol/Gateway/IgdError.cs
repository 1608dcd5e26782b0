namespace P2PMigrate.Protocol.Gateway;

/// <summary>Why a gateway did not do what it was asked by UPnP: UPnP Device Architecture 3.2.2, WANIPConnection 1 and 2.</summary>
internal enum IgdError
{
    None = 0,
    InvalidAction = 401,
    InvalidArgs = 402,
    ActionFailed = 501,
    ArgumentValueInvalid = 600,
    ArgumentValueOutOfRange = 601,
    OptionalActionNotImplemented = 602,
    OutOfMemory = 603,
    HumanInterventionRequired = 604,
    StringArgumentTooLong = 605,
    NotAuthorized = 606,
    SpecifiedArrayIndexInvalid = 713,
    NoSuchEntryInArray = 714,
    WildcardNotPermittedInSourceAddress = 715,
    WildcardNotPermittedInExternalPort = 716,
    ConflictInMappingEntry = 718,
    SamePortValuesRequired = 724,
    OnlyPermanentLeasesSupported = 725,
    RemoteHostOnlySupportsWildcard = 726,
    ExternalPortOnlySupportsWildcard = 727,
    NoPortMapsAvailable = 728,
    ConflictWithOtherMechanisms = 729,
    WildcardNotPermittedInInternalPort = 732,
}

/// <summary>Words for it.</summary>
internal static class IgdErrorText
{
    /// <summary>Is the external port somebody else's, so that another one may do?</summary>
    public static bool IsConflict(this IgdError error) => error is IgdError.ConflictInMappingEntry or IgdError.ConflictWithOtherMechanisms;

    /// <summary>May it be the lease that the gateway does not like? Old ones take none but the endless one, and say so in various ways.</summary>
    public static bool MayBeLease(this IgdError error) =>
        error is IgdError.OnlyPermanentLeasesSupported or IgdError.InvalidArgs or IgdError.ActionFailed or IgdError.ArgumentValueInvalid or IgdError.ArgumentValueOutOfRange;

    /// <summary>Does the gateway not know the action?</summary>
    public static bool IsUnknownAction(this IgdError error) => error is IgdError.InvalidAction or IgdError.OptionalActionNotImplemented;

    /// <summary>One sentence that a person can read in a log.</summary>
    public static string ToSentence(this IgdError error) => error switch
    {
        IgdError.None => "The gateway did as it was asked.",
        IgdError.InvalidAction or IgdError.OptionalActionNotImplemented => "The gateway's UPnP does not know the action.",
        IgdError.InvalidArgs or IgdError.ArgumentValueInvalid or IgdError.ArgumentValueOutOfRange or IgdError.StringArgumentTooLong =>
            "The gateway's UPnP does not like what it was asked.",
        IgdError.ActionFailed => "The gateway's UPnP failed without saying why.",
        IgdError.OutOfMemory => "The gateway has no memory left for UPnP.",
        IgdError.HumanInterventionRequired => "The gateway wants a person to confirm the mapping.",
        IgdError.NotAuthorized => "The gateway does not let this machine map ports by UPnP; look for a setting of that name.",
        IgdError.SpecifiedArrayIndexInvalid or IgdError.NoSuchEntryInArray => "The gateway has no such mapping.",
        IgdError.WildcardNotPermittedInSourceAddress => "The gateway maps ports by UPnP only for one remote host at a time.",
        IgdError.WildcardNotPermittedInExternalPort or IgdError.ExternalPortOnlySupportsWildcard or IgdError.WildcardNotPermittedInInternalPort =>
            "The gateway's UPnP maps all ports or none.",
        IgdError.ConflictInMappingEntry => "The gateway's port is mapped to another machine.",
        IgdError.SamePortValuesRequired => "The gateway maps a port only to the same port, and that one is taken.",
        IgdError.OnlyPermanentLeasesSupported => "The gateway's mappings do not end by themselves.",
        IgdError.RemoteHostOnlySupportsWildcard => "The gateway's UPnP cannot tell remote hosts apart.",
        IgdError.NoPortMapsAvailable => "The gateway has no room for another mapping.",
        IgdError.ConflictWithOtherMechanisms => "The gateway's port is taken by something else than UPnP.",
        _ => $"The gateway's UPnP answered with the error {(int)error}.",
    };
}
