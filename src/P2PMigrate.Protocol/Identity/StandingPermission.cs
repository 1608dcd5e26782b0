using System.Security.Cryptography;
using NSec.Cryptography;

namespace P2PMigrate.Protocol.Identity;

/// <summary>
/// The ticket that two peers need not pass on, because each can compute it from its own private key and the other's public one: the
/// responder's lasting permission to one initiator. Nobody else can compute it, and no other initiator may use it.
/// </summary>
/// <remarks>spec: ID-17.</remarks>
internal static class StandingPermission
{
    private static ReadOnlySpan<byte> Purpose => "p2pmigrate 1 standing "u8;

    /// <summary>The secret of the ticket that <paramref name="own"/> holds at <paramref name="responder"/>. False for a public key of low order.</summary>
    public static bool TryDeriveAsInitiator(PrivateIdentity own, PublicIdentity responder, out TicketSecret secret) =>
        TryDerive(own, responder, responder, out secret);

    /// <summary>The secret of the ticket that <paramref name="initiator"/> holds at <paramref name="own"/>. False for a public key of low order.</summary>
    public static bool TryDeriveAsResponder(PrivateIdentity own, PublicIdentity initiator, out TicketSecret secret) =>
        TryDerive(own, initiator, own.Public, out secret);

    private static bool TryDerive(PrivateIdentity own, PublicIdentity other, PublicIdentity responder, out TicketSecret secret)
    {
        secret = default;
        Span<byte> agreed = stackalloc byte[PublicIdentity.Size];
        if (!own.TryAgree(other, agreed))
            return false;
        Span<byte> derived = stackalloc byte[TicketSecret.Size];
        KeyDerivationAlgorithm.HkdfSha256.DeriveBytes(agreed, [], [.. Purpose, .. responder.Bytes], derived);
        secret = TicketSecret.Read(derived);
        CryptographicOperations.ZeroMemory(agreed);
        CryptographicOperations.ZeroMemory(derived);
        return true;
    }
}
