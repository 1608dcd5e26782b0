using System.Security.Cryptography;
using System.Text;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Depots;

/// <summary>
/// The objects of a depot in which its key lies, each sealed for one peer: <c>NAME/keys/owner</c> for whoever made the depot, with the peers that it was made for, and
/// <c>NAME/keys/PEERID</c> for each of those. They are the only ones that the depot's key does not seal.
/// </summary>
// spec: DEP-31, DEP-32
internal sealed class DepotEnvelopes(IObjectStore inner, ContainerName container, PrivateIdentity self)
{
    private readonly TimedObjectStore _place = new(inner);

    // The container's name is in them, so that an envelope of one depot is none of another.
    private readonly byte[] _ownerPrologue = Encoding.ASCII.GetBytes($"p2pmigrate 1 depot owner {container.Value}");
    private readonly byte[] _readerPrologue = Encoding.ASCII.GetBytes($"p2pmigrate 1 depot reader {container.Value}");

    /// <summary>What the names of these objects, and of no others, begin with.</summary>
    public string Prefix { get; } = PrefixOf(container);

    /// <summary>The depot in a sentence.</summary>
    public string DepotName => $"{_place.Place}/{container.Value}";

    private string OwnerName => Prefix + "owner";

    /// <summary>Lays a new key down for the owner; false when the place is somebody's already. Of several at once exactly one gets true.</summary>
    public Task<bool> TryClaimAsync(byte[] key, IReadOnlyCollection<PublicIdentity> readers, CancellationToken cancellationToken)
    {
        byte[] payload = new byte[DepotKey.Size + readers.Count * PeerId.Size];
        key.CopyTo(payload, 0);
        int at = DepotKey.Size;
        foreach (PublicIdentity reader in readers)
        {
            reader.PeerId.Write(payload.AsSpan(at));
            at += PeerId.Size;
        }

        byte[] envelope = Seal(self.Public, _ownerPrologue, payload);
        CryptographicOperations.ZeroMemory(payload);
        return _place.TryCreateAsync(OwnerName, envelope, cancellationToken);
    }

    /// <summary>
    /// The key, and the peers that the depot was made for, if this peer made it; null when nobody has. Throws for a depot of somebody else: a key that another peer offers would open
    /// to that peer all that is sealed with it.
    /// </summary>
    // spec: DEP-33
    public async Task<(byte[] Key, PeerId[] Readers)?> TryReadOwnAsync(CancellationToken cancellationToken)
    {
        if (await _place.TryReadAsync(OwnerName, cancellationToken).ConfigureAwait(false) is not { } envelope)
            return null;
        if (!Envelope.TryOpen(self, _ownerPrologue, envelope, out PublicIdentity? sender, out byte[]? payload) || !sender.Equals(self.Public) || !IsOwnersPayload(payload))
        {
            throw new MigrationException(MigrationFault.NotSealedForThisPeer,
                $"What is in {DepotName} was sealed by another machine, or with an earlier key of this one, or its keys/owner is damaged. Choose another place, or remove it.");
        }

        byte[] key = payload[..DepotKey.Size];
        PeerId[] readers = [.. payload.Skip(DepotKey.Size).Chunk(PeerId.Size).Select(bytes => PeerId.Read(bytes))];
        CryptographicOperations.ZeroMemory(payload);
        return (key, readers);
    }

    /// <summary>The peers for whom an envelope lies there, whoever laid it down; this one is not in it.</summary>
    public async Task<IReadOnlyList<PeerId>> ListAdmittedAsync(CancellationToken cancellationToken)
    {
        var admitted = new List<PeerId>();
        foreach (string name in await _place.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            if (PeerId.TryParse(name[Prefix.Length..], out PeerId peer) && peer != self.PeerId)
                admitted.Add(peer);
        }

        return admitted;
    }

    /// <summary>Is there anything of the container beside such objects?</summary>
    public async Task<bool> HasMoreAsync(CancellationToken cancellationToken) =>
        (await _place.ListAsync($"{container.Value}/", cancellationToken).ConfigureAwait(false)).Any(name => !name.StartsWith(Prefix, StringComparison.Ordinal));

    /// <summary>Lays the key down for a reader, if there is none for it yet.</summary>
    public Task AdmitAsync(PublicIdentity reader, byte[] key, CancellationToken cancellationToken) =>
        _place.TryCreateAsync(NameOf(reader.PeerId), Seal(reader, _readerPrologue, key), cancellationToken);

    /// <summary>The key that somebody laid down for this peer, and who; null when nobody has.</summary>
    public async Task<(byte[] Key, PublicIdentity Sender)?> TryReadAdmissionAsync(CancellationToken cancellationToken)
    {
        string name = NameOf(self.PeerId);
        if (await _place.TryReadAsync(name, cancellationToken).ConfigureAwait(false) is not { } envelope)
            return null;
        return Envelope.TryOpen(self, _readerPrologue, envelope, out PublicIdentity? sender, out byte[]? key) && key.Length == DepotKey.Size
            ? (key, sender)
            : throw new MigrationException(MigrationFault.ArchiveDamaged,
                $"{name} in {_place.Place} should hold the key for this machine, and does not open: it was changed, or copied from somewhere else. Have it removed, and the push done again.");
    }

    /// <summary>What the names of these objects begin with in the depot of a container.</summary>
    public static string PrefixOf(ContainerName container) => $"{container.Value}/keys/";

    /// <summary>A peer as the names of these objects have it.</summary>
    internal static string TextOf(PeerId peer) => peer.ToString().Replace("-", "", StringComparison.Ordinal);

    private string NameOf(PeerId reader) => Prefix + TextOf(reader);

    private static bool IsOwnersPayload(byte[] payload) => payload.Length >= DepotKey.Size && (payload.Length - DepotKey.Size) % PeerId.Size == 0;

    private byte[] Seal(PublicIdentity recipient, byte[] prologue, byte[] payload) =>
        Envelope.TrySeal(self, recipient, prologue, payload, CryptographicEntropy.Instance, out byte[]? envelope)
            ? envelope
            : throw new MigrationException(MigrationFault.NotSealedForThisPeer, $"The key of {recipient.PeerId} is no key that anybody can have the other half of.");
}
