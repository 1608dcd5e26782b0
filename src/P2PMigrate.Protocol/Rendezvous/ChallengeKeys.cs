using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>
/// The server's short-lived key pair that clients prove their identity against, replaced together with the cookie
/// secret's rhythm; the one before stays good for one period more. One owner.
/// </summary>
/// <remarks>spec: RDV-05.</remarks>
internal sealed class ChallengeKeys : IDisposable
{
    private readonly IEntropy _entropy;
    private PrivateIdentity _current;
    private PrivateIdentity? _previous;
    private Instant? _replaceAt;

    /// <summary>Makes the first pair.</summary>
    public ChallengeKeys(IEntropy entropy)
    {
        _entropy = entropy;
        _current = PrivateIdentity.Create(entropy);
    }

    /// <summary>The key to put into challenges now.</summary>
    public PublicIdentity Current(Instant now)
    {
        _replaceAt ??= now + CookieSecret.Lifetime;
        if (now >= _replaceAt)
        {
            _previous?.Dispose();
            _previous = _current;
            _current = PrivateIdentity.Create(_entropy);
            _replaceAt = now + CookieSecret.Lifetime;
        }

        return _current.Public;
    }

    /// <summary>The pair that a client answers to, unless it is too old.</summary>
    public PrivateIdentity? Find(Instant now, PublicIdentity key)
    {
        Current(now);
        return key.Equals(_current.Public) ? _current : key.Equals(_previous?.Public) ? _previous : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _current.Dispose();
        _previous?.Dispose();
    }
}
