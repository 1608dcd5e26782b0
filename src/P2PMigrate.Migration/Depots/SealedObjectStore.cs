using System.Security.Cryptography;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Migration.Depots;

/// <summary>
/// A place whose objects only its readers can read: contents are sealed on the way in and opened on the way out. Names, sizes and times stay visible, and whoever may write to the place can
/// remove objects or put old ones back; it cannot change one, move it to another name or make one without being found out, unless it is a reader itself. It holds the depot of one
/// container, and only objects whose names begin with that. Does not own the place that it lies in. Safe for use from several threads.
/// </summary>
// spec: DEP-30 to DEP-36
public sealed class SealedObjectStore : IObjectStore, IDisposable
{
    /// <summary>Most peers that a depot is made for at once.</summary>
    // spec: CONST-460
    public const int MaxReaders = 16;

    /// <summary>Bytes that an object in the place has more than its content.</summary>
    public const int Overhead = DepotKey.Overhead;

    private readonly IObjectStore _inner;
    private readonly string _names;
    private readonly string _keys;
    private readonly DepotKey _key;

    private SealedObjectStore(IObjectStore inner, ContainerName container, DepotEnvelopes envelopes, byte[] key, PublicIdentity sealedBy, IReadOnlyCollection<PublicIdentity> readers)
    {
        _inner = inner;
        _names = container.Value + "/";
        _keys = envelopes.Prefix;
        _key = DepotKey.Import(key);
        (SealedBy, Readers) = (sealedBy, readers);
        CryptographicOperations.ZeroMemory(key);
    }

    /// <summary>Whoever gave this peer the key, proven by its own: the owner of the depot.</summary>
    public PublicIdentity SealedBy { get; }

    /// <summary>Whom this peer knows to be meant to read what is here: those that it names as it writes, itself when it only reads.</summary>
    public IReadOnlyCollection<PublicIdentity> Readers { get; }

    /// <inheritdoc/>
    public string Place => _inner.Place;

    /// <summary>
    /// To write: makes a depot for <paramref name="readers"/>, or goes on with one that <paramref name="self"/> made here earlier. Readers that are new to it are admitted. Of several calls at
    /// once one key wins, and all use it. Refused when the depot is not this peer's, is not sealed, or can be read by a peer that is not among the readers now: what is written could be read by
    /// more than the caller means. Throws <see cref="PlaceException"/> when the place cannot be used, here and below.
    /// </summary>
    public static async Task<SealedObjectStore> CreateAsync(
        IObjectStore inner, ContainerName container, PrivateIdentity self, IReadOnlyCollection<PublicIdentity> readers, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(readers.Count, MaxReaders);
        var envelopes = new DepotEnvelopes(inner, container, self);
        byte[] key = await ClaimAsync(envelopes, readers, cancellationToken).ConfigureAwait(false);
        foreach (PublicIdentity reader in readers)
            await envelopes.AdmitAsync(reader, key, cancellationToken).ConfigureAwait(false);
        return new SealedObjectStore(inner, container, envelopes, key, self.Public, readers);
    }

    /// <summary>To read: opens a depot that was sealed for <paramref name="self"/>, or by it.</summary>
    public static async Task<SealedObjectStore> OpenAsync(IObjectStore inner, ContainerName container, PrivateIdentity self, CancellationToken cancellationToken)
    {
        var envelopes = new DepotEnvelopes(inner, container, self);
        try
        {
            // Its own key goes before one that somebody offers it: whoever offers one may offer a claim too.
            if (await envelopes.TryReadOwnAsync(cancellationToken).ConfigureAwait(false) is var (own, _))
                return new SealedObjectStore(inner, container, envelopes, own, self.Public, [self.Public]);
        }
        catch (MigrationException exception) when (exception.Fault == MigrationFault.NotSealedForThisPeer)
        {
            // Somebody else's, as for every reader.
        }

        if (await envelopes.TryReadAdmissionAsync(cancellationToken).ConfigureAwait(false) is var (key, sender))
            return new SealedObjectStore(inner, container, envelopes, key, sender, [self.Public]);
        if (!await IsSealedAsync(inner, container, cancellationToken).ConfigureAwait(false))
            throw new MigrationException(MigrationFault.NotSealedForThisPeer, $"There is nothing sealed in {envelopes.DepotName}. Are that the place and the container's name with which it was pushed?");
        throw new MigrationException(MigrationFault.NotSealedForThisPeer,
            $"What is in {envelopes.DepotName} was not sealed for this machine ({self.PeerId}). Type `p2pmigrate id --key` here, and push again with --for and what it prints.");
    }

    /// <summary>Is there a sealed depot of this container, whoever it is for?</summary>
    public static async Task<bool> IsSealedAsync(IObjectStore inner, ContainerName container, CancellationToken cancellationToken) =>
        (await new TimedObjectStore(inner).ListAsync(DepotEnvelopes.PrefixOf(container), cancellationToken).ConfigureAwait(false)).Count > 0;

    /// <inheritdoc/>
    public Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        RefuseOthers(name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(content.Length, DepotLimits.MaxObjectLength - Overhead);
        return _inner.TryCreateAsync(name, _key.Seal(name, content.Span), cancellationToken);
    }

    /// <inheritdoc/>
    // spec: DEP-35
    public async Task<byte[]?> TryReadAsync(string name, CancellationToken cancellationToken)
    {
        RefuseOthers(name);
        if (await _inner.TryReadAsync(name, cancellationToken).ConfigureAwait(false) is not { } sealedObject)
            return null;
        return _key.TryOpen(name, sealedObject, out byte[]? content)
            ? content
            : throw new MigrationException(MigrationFault.ArchiveDamaged,
                $"{name} in {Place} does not open: it was changed, moved there from another name, or sealed with another key. Nothing of it was used; have it removed, and the push done again.");
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken) =>
        [.. (await _inner.ListAsync(prefix, cancellationToken).ConfigureAwait(false)).Where(IsOwn)];

    /// <inheritdoc/>
    public Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        RefuseOthers(name);
        return _inner.DeleteAsync(name, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    // spec: DEP-34, DEP-37
    private static async Task<byte[]> ClaimAsync(DepotEnvelopes envelopes, IReadOnlyCollection<PublicIdentity> readers, CancellationToken cancellationToken)
    {
        if (await envelopes.TryReadOwnAsync(cancellationToken).ConfigureAwait(false) is { } own)
            return await UseAsync(envelopes, own, readers, cancellationToken).ConfigureAwait(false);
        bool isOthers = await envelopes.HasMoreAsync(cancellationToken).ConfigureAwait(false);
        byte[] drawn = RandomNumberGenerator.GetBytes(DepotKey.Size);
        if (!isOthers && await envelopes.TryClaimAsync(drawn, readers, cancellationToken).ConfigureAwait(false))
            return drawn;
        if (await envelopes.TryReadOwnAsync(cancellationToken).ConfigureAwait(false) is { } others)
            return await UseAsync(envelopes, others, readers, cancellationToken).ConfigureAwait(false);
        throw isOthers
            ? new MigrationException(MigrationFault.NotSealedForThisPeer, $"What is in {envelopes.DepotName} so far is not sealed, and stays so: leave out --for, or choose another place.")
            : new PlaceException($"{envelopes.DepotName} is being emptied while this begins. Try again when nobody else works there.");
    }

    /// <summary>The key of a depot that this peer made earlier, if nobody but <paramref name="readers"/> has it.</summary>
    // spec: DEP-33
    private static async Task<byte[]> UseAsync(
        DepotEnvelopes envelopes, (byte[] Key, PeerId[] Readers) own, IReadOnlyCollection<PublicIdentity> readers, CancellationToken cancellationToken)
    {
        PeerId[] unnamed =
        [
            .. own.Readers.Concat(await envelopes.ListAdmittedAsync(cancellationToken).ConfigureAwait(false)).Distinct().Where(id => readers.All(reader => reader.PeerId != id)),
        ];
        return unnamed.Length == 0 ? own.Key : throw new MigrationException(MigrationFault.NotSealedForThisPeer,
            $"What is in {envelopes.DepotName} can also be read by {string.Join(" and ", unnamed)}, for whom it was sealed. Name those too with --for if they are to read this, or choose another place.");
    }

    private bool IsOwn(string name) => name.StartsWith(_names, StringComparison.Ordinal) && !name.StartsWith(_keys, StringComparison.Ordinal);

    private void RefuseOthers(string name)
    {
        if (!IsOwn(name))
            throw new ArgumentException($"{name} is not an object that is sealed here: those begin with {_names}, and {_keys} belongs to the seal.", nameof(name));
    }
}
