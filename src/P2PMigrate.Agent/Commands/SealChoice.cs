using System.CommandLine;
using P2PMigrate.Agent.Places;
using P2PMigrate.Agent.State;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Depots;
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

    /// <summary>Opens the place that a user typed, to write a container's depot. Throws <see cref="PlaceException"/> when the place cannot be used.</summary>
    public Task<IObjectStore> OpenToWriteAsync(CommandContext context, string place, ContainerName container, CancellationToken cancellationToken)
    {
        PublicIdentity[] readers = [.. (context.Parsed.GetValue(Option) ?? []).Select(KeyOf)];
        if (readers.Length > SealedObjectStore.MaxReaders)
            throw new UsageException($"--for names more than {SealedObjectStore.MaxReaders} machines.");
        if (readers.Length == 0 && IsBucket(place))
            throw new UsageException("What goes into a bucket is sealed first: add --for KEY, with what `p2pmigrate id --key` prints on the machine that is to read it.");
        return AskAsync(place, async opened =>
        {
            using PrivateIdentity self = IdentityFile.LoadOrCreate(context.State.Root);
            return readers.Length > 0 ? await SealedObjectStore.CreateAsync(opened, container, self, readers, cancellationToken).ConfigureAwait(false)
                : await SealedObjectStore.IsSealedAsync(opened, container, cancellationToken).ConfigureAwait(false)
                    ? throw new UsageException($"What is in {opened.Place} of {container} so far is sealed. Add the --for with which that was done, or choose another place.")
                : opened;
        });
    }

    /// <summary>Opens it to read what is there, or to say whose it is: by a reader or by whoever sealed it. Throws <see cref="PlaceException"/> like the above.</summary>
    public static Task<IObjectStore> OpenToReadAsync(CommandContext context, string place, ContainerName container, CancellationToken cancellationToken) => AskAsync(place, async opened =>
    {
        if (!IsBucket(place) && !await SealedObjectStore.IsSealedAsync(opened, container, cancellationToken).ConfigureAwait(false))
            return opened;
        using PrivateIdentity self = IdentityFile.LoadOrCreate(context.State.Root);
        return await SealedObjectStore.OpenAsync(opened, container, self, cancellationToken).ConfigureAwait(false);
    });

    /// <summary>Reads a public key, or the one in a ticket.</summary>
    internal static PublicIdentity KeyOf(string text) =>
        KeyText.TryParse(text, out PublicIdentity? key) ? key
        : Ticket.TryParse(text, out Ticket? ticket, out _) ? ticket.Responder
        : PeerId.TryParse(text, out _) ? throw new UsageException("--for has a peer id, which does not suffice to seal anything: type what `p2pmigrate id --key` prints there.")
        : throw new UsageException("--for has no public key: type what `p2pmigrate id --key` prints on the machine that is to read this, whole.");

    private static bool IsBucket(string place) => place.StartsWith(S3Location.Scheme, StringComparison.Ordinal);

    private static async Task<IObjectStore> AskAsync(string place, Func<IObjectStore, Task<IObjectStore>> question)
    {
        try
        {
            return await question(ObjectPlaces.Open(place)).ConfigureAwait(false);
        }
        catch (Exception refused) when (refused is IOException and not PlaceException or UnauthorizedAccessException)
        {
            throw new PlaceException($"{place}: {refused.Message}", refused);
        }
    }
}
