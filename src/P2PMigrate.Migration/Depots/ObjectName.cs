using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Migration.Depots;

/// <summary>The names that the objects of a depot have. What a peer says becomes part of a path only if it is one of these.</summary>
// spec: DEP-02, DEP-32
public static class ObjectName
{
    /// <summary>Most characters in a name.</summary>
    // spec: CONST-470
    public const int LengthMax = 256;

    private const int PartLength = 8;

    /// <summary>Is it the name of an object?</summary>
    public static bool IsObject(string name) => Split(name) is [var container, .. var rest] && ContainerName.TryParse(container, out _) && rest switch
    {
        ["content" or "index", var id] => Depot.IsId(id),
        ["dump", var job, var part] => Depot.IsId(job) && (part == "whole" || IsPart(part)),
        ["claim", var job] => Depot.IsId(job),
        ["keys", var reader] => reader == "owner" || (PeerId.TryParse(reader, out PeerId peer) && reader == DepotEnvelopes.TextOf(peer)),
        _ => false,
    };

    /// <summary>Is this name of an object a claim's?</summary>
    // spec: DEP-20
    public static bool IsClaim(string name) => Split(name) is [_, "claim", _];

    /// <summary>Is it what the names of a container, of one kind of its objects, or of one dump's begin with?</summary>
    public static bool IsPrefix(string prefix) => Split(prefix) is [var container, .. var rest] && ContainerName.TryParse(container, out _) && rest switch
    {
        [""] => true,
        ["content" or "index" or "dump" or "claim" or "keys", ""] => true,
        ["dump", var job, ""] => Depot.IsId(job),
        _ => false,
    };

    private static string[] Split(string name) => name.Length <= LengthMax ? name.Split('/') : [];

    private static bool IsPart(string text) => text.Length == PartLength && text.All(char.IsAsciiDigit);
}
