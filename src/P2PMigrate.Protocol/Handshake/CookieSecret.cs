using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Handshake;

/// <summary>
/// Makes and recognises cookies without remembering any: a cookie is a code over the source address under a secret that
/// changes every <see cref="Lifetime"/>. One is good until the secret after it is replaced too.
/// </summary>
/// <remarks>spec: HS-15. Also the rendezvous server's way to make a client prove its address (RDV-04). One owner.</remarks>
internal sealed class CookieSecret
{
    /// <summary>Age at which the secret is replaced.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(120);

    private const int SecretSize = 32;

    private readonly IEntropy _entropy;
    private byte[] _current = new byte[SecretSize];
    private byte[] _previous = new byte[SecretSize];
    private Instant _replaceAt;

    /// <summary>Draws the first secrets.</summary>
    public CookieSecret(IEntropy entropy)
    {
        _entropy = entropy;
        entropy.Fill(_current);
        entropy.Fill(_previous);
        _replaceAt = Instant.Never;
    }

    /// <summary>Writes the cookie of <paramref name="source"/>.</summary>
    public void Make(Instant now, NetworkAddress source, Span<byte> cookie)
    {
        Rotate(now);
        Compute(_current, source, cookie);
    }

    /// <summary>Was <paramref name="cookie"/> made for <paramref name="source"/> not long ago?</summary>
    public bool IsGood(Instant now, NetworkAddress source, ReadOnlySpan<byte> cookie) => Matches(now, source, cookie, cookie, isMac: false);

    /// <summary>Is <paramref name="mac"/> the code of <paramref name="message"/> under a good cookie of <paramref name="source"/>?</summary>
    public bool IsGoodMac(Instant now, NetworkAddress source, ReadOnlySpan<byte> message, ReadOnlySpan<byte> mac) =>
        Matches(now, source, message, mac, isMac: true);

    private bool Matches(Instant now, NetworkAddress source, ReadOnlySpan<byte> message, ReadOnlySpan<byte> mac, bool isMac)
    {
        Rotate(now);
        Span<byte> cookie = stackalloc byte[MessageMac.Size];
        foreach (byte[] secret in (ReadOnlySpan<byte[]>)[_current, _previous])
        {
            Compute(secret, source, cookie);
            bool isGood = isMac
                ? MessageMac.Verify(cookie, message, mac)
                : System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(cookie, mac);
            if (isGood)
            {
                return true;
            }
        }

        return false;
    }

    private static void Compute(ReadOnlySpan<byte> secret, NetworkAddress source, Span<byte> cookie)
    {
        Span<byte> bytes = stackalloc byte[NetworkAddress.MaxEncodedLength];
        var writer = new WireWriter(bytes);
        source.Encode(ref writer);
        MessageMac.Compute(secret, bytes[..writer.Written], cookie);
    }

    private void Rotate(Instant now)
    {
        if (_replaceAt == Instant.Never)
        {
            _replaceAt = now + Lifetime;
        }

        if (now < _replaceAt)
        {
            return;
        }

        bool isLongAgo = now >= _replaceAt + Lifetime;
        (_previous, _current) = (_current, _previous);
        _entropy.Fill(_current);
        if (isLongAgo)
        {
            _entropy.Fill(_previous);
        }

        _replaceAt = now + Lifetime;
    }
}
