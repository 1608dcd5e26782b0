using System.CommandLine;
using P2PMigrate.Agent.Places;
using P2PMigrate.Agent.State;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Stages;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.Commands;

/// <summary>
/// The option <c>--for</c>: who is to read what is put into a place. What goes into a bucket is always sealed, for a bucket is somebody else's machine; what goes into a directory is sealed when
/// readers are named. Whoever takes something out finds that out by itself.
/// </summary>
// spec: DEP-33, DEP-37
internal sealed class SealChoice
{
    /// <summary>For the list of a command that writes.</summary>
    public Option<string[]> Option { get; } = new("--for")
    {
        Description = "Seal what is put there, so that only this machine and the one with this public key can read it: KEY is what `p2pmigrate id --key` prints there, or a ticket of it. "
            + "May be given several times. A bucket needs it.",
        HelpName = "KEY",
    };

    /// <summary>The machines that a user named to read what is put into <paramref name="place"/>; empty where it is not to be sealed.</summary>
    public IReadOnlyCollection<PublicIdentity> ReadersOf(ParseResult parsed, string place)
    {
        PublicIdentity[] readers = [.. (parsed.GetValue(Option) ?? []).Select(KeyOf)];
        if (readers.Length > SealedObjectStore.MaxReaders)
            throw new UsageException($"--for names more than {SealedObjectStore.MaxReaders} machines.");
        if (readers.Length == 0 && IsBucket(place))
            throw new UsageException("What goes into a bucket is sealed first: add --for KEY, with what `p2pmigrate id --key` prints on the machine that is to read it.");
        return readers;
    }

    /// <summary>
    /// Opens a place to write the depot of <paramref name="container"/>, which says where it must not be. Throws <see cref="PlaceException"/> when the place cannot be used.
    /// </summary>
    public static async Task<IObjectStore> OpenToWriteAsync(
        CommandContext context, string place, IReadOnlyCollection<PublicIdentity> readers, ContainerDescription container, CancellationToken cancellationToken)
    {
        ContainerName name = StageChoice.NameOf(container.Name);
        PlaceCheck.RefuseIfDoomed(context.State, container, ObjectPlaces.DirectoryOf(context, place));
        IObjectStore opened = ObjectPlaces.Open(context, place);
        if (readers.Count == 0)
        {
            return await SealedObjectStore.IsSealedAsync(opened, name, cancellationToken).ConfigureAwait(false)
                ? throw new UsageException($"What is in {opened.Place} of {name} so far is sealed. Add the --for with which that was done, or choose another place.") : opened;
        }

        using PrivateIdentity self = IdentityFile.LoadOrCreate(context.State.Root);
        return await SealedObjectStore.CreateAsync(opened, name, self, readers, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Opens it to take out what <paramref name="from"/> put there. Who can write to the place can lay down a depot of its own for this machine: a container that nobody meant would run here as
    /// the one that was meant. What is not sealed says nothing about that.
    /// </summary>
    // spec: DEP-38
    public static async Task<IObjectStore> OpenToTakeAsync(CommandContext context, string place, ContainerName container, PeerId? from, CancellationToken cancellationToken)
    {
        IObjectStore opened = await OpenToReadAsync(context, place, container, cancellationToken).ConfigureAwait(false);
        if (opened is not SealedObjectStore { SealedBy.PeerId: var sealer } || sealer == from)
            return opened;
        if (from is not null)
            throw new UsageException($"What is in {opened.Place} of {container} was sealed by {sealer}, not by the peer that --from names.");
        using PrivateIdentity self = IdentityFile.LoadOrCreate(context.State.Root);
        return sealer == self.PeerId ? opened
            : throw new UsageException($"What is in {opened.Place} of {container} was sealed by {sealer}. If `p2pmigrate id` prints that on the machine from which it should come, type the same with --from {sealer}.");
    }

    /// <summary>Opens it to say whose it is, or to bring something to its end there: by a reader or by whoever sealed it. Throws <see cref="PlaceException"/> like the above.</summary>
    public static async Task<IObjectStore> OpenToReadAsync(CommandContext context, string place, ContainerName container, CancellationToken cancellationToken)
    {
        IObjectStore opened = ObjectPlaces.Open(context, place);
        if (!IsBucket(place) && !await SealedObjectStore.IsSealedAsync(opened, container, cancellationToken).ConfigureAwait(false))
            return opened;
        using PrivateIdentity self = IdentityFile.LoadOrCreate(context.State.Root);
        return await SealedObjectStore.OpenAsync(opened, container, self, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads the value of a <c>--from</c>.</summary>
    public static PeerId PeerOf(string from) => PeerId.TryParse(from, out PeerId peer)
        ? peer : throw new UsageException("--from is no peer id: type what `p2pmigrate id` prints on the machine that pushed.");

    /// <summary>Reads a public key, or the one in a ticket.</summary>
    internal static PublicIdentity KeyOf(string text) =>
        KeyText.TryParse(text, out PublicIdentity? key) ? key
        : Ticket.TryParse(text, out Ticket? ticket, out _) ? ticket.Responder
        : PeerId.TryParse(text, out _) ? throw new UsageException("--for has a peer id, which does not suffice to seal anything: type what `p2pmigrate id --key` prints there.")
        : throw new UsageException("--for has no public key: type what `p2pmigrate id --key` prints on the machine that is to read this, whole.");

    private static bool IsBucket(string place) => place.StartsWith(S3Location.Scheme, StringComparison.Ordinal);
}
