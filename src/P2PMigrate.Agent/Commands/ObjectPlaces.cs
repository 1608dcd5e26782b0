using System.CommandLine;
using P2PMigrate.Agent.Places;
using P2PMigrate.Agent.State;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.Commands;

/// <summary>What a user types for a place: a directory, a bucket, a ticket of the peer that keeps it, or <c>peer:ID</c>, which is what such a place is called.</summary>
internal static class ObjectPlaces
{
    /// <summary>For the descriptions of options and arguments.</summary>
    public const string Kinds = "the directory between the machines, s3://BUCKET/PREFIX, or a ticket of the machine that runs `p2pmigrate receive --place DIR`";

    private const string TicketPrefix = "p2pm", PeerScheme = "peer:";

    /// <summary>For commands about a job whose place a peer keeps.</summary>
    public static Option<string?> TicketOption() => new("--destination", "-d")
    {
        Description = "Of a stage whose data a peer keeps: a new ticket of that peer, where the one that was used before is not good any more.",
        HelpName = "TICKET",
    };

    /// <summary>The place of a peer, as journals remember it and another shell, on either machine, can type it.</summary>
    public static string NameOf(PeerId peer) => PeerScheme + peer;

    /// <summary>The same of any place. A ticket is kept, so that its place can be opened by that name from now on.</summary>
    // spec: DEP-55
    public static string NameOf(CommandContext context, string place)
    {
        if (place.AsSpan().Trim().StartsWith(TicketPrefix, StringComparison.OrdinalIgnoreCase) && !place.Contains('/', StringComparison.Ordinal))
        {
            if (!Ticket.TryParse(place, out Ticket? ticket, out TicketError error))
                throw new UsageException($"{error.ToSentence()} A directory of such a name is typed with ./ before it.");
            if (ticket.IsExpired(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()))
                throw new UsageException("This ticket has expired. Type the one that `p2pmigrate receive --place DIR` shows now.");
            Keep(context, ticket);
            return NameOf(ticket.Responder.PeerId);
        }

        bool isName = place.Contains("://", StringComparison.Ordinal) || place.StartsWith(PeerScheme, StringComparison.Ordinal);
        return isName || string.IsNullOrWhiteSpace(place) ? place : Path.TrimEndingDirectorySeparator(Path.GetFullPath(place));
    }

    private static void Keep(CommandContext context, Ticket ticket)
    {
        try
        {
            new KnownPlaces(context.State).Keep(ticket);
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The ticket cannot be kept for later stages: {full.Message}");
        }
    }

    /// <summary>What the directory is called that this machine keeps for others.</summary>
    public static string DirectoryName(CommandContext context) => NameOf(SelfOf(context));

    /// <summary>The directory in which a place of that name is here, where it is one: also behind the name of this peer.</summary>
    public static string DirectoryOf(CommandContext context, string place) =>
        place == DirectoryName(context) ? new KnownPlaces(context.State).TryFindOwn() ?? place : place;

    /// <summary>The same of a place to take something out of: a directory that is kept here for others is called as they call it, so that what is printed can be typed there too.</summary>
    public static string NameToTake(CommandContext context, string place)
    {
        string name = NameOf(context, place);
        return name == new KnownPlaces(context.State).TryFindOwn() ? NameOf(SelfOf(context)) : name;
    }

    /// <summary>Opens the place of that name; nothing is made or asked yet.</summary>
    public static IObjectStore Open(CommandContext context, string place)
    {
        if (place.StartsWith(S3Location.Scheme, StringComparison.Ordinal))
            return new S3ObjectStore(S3Location.Of(place, Environment.GetEnvironmentVariable));
        if (place.StartsWith(PeerScheme, StringComparison.Ordinal) && PeerId.TryParse(place[PeerScheme.Length..], out PeerId peer))
            return OfPeer(context, peer);
        return Path.IsPathRooted(place) ? new DirectoryObjectStore(place)
            : throw new UsageException($"'{place}' is no place that this version knows. Type {Kinds}.");
    }

    /// <summary>This peer's own place is a directory here: the same name is good on both machines.</summary>
    private static IObjectStore OfPeer(CommandContext context, PeerId peer)
    {
        if (peer != SelfOf(context))
            return context.Tunnels.Open(context, peer);
        string directory = new KnownPlaces(context.State).TryFindOwn()
            ?? throw new UsageException("This machine keeps no place for others yet. Type: p2pmigrate receive --place DIR");
        return new DirectoryObjectStore(directory, NameOf(peer));
    }

    private static PeerId SelfOf(CommandContext context)
    {
        using PrivateIdentity self = IdentityFile.LoadOrCreate(context.State.Root);
        return self.PeerId;
    }
}
