namespace P2PMigrate.Protocol.Turn;

/// <summary>
/// Long-term credentials (RFC 8489, section 9.2): name and password, and the realm and the nonce that the server says. One owner.
/// </summary>
// spec: TURN-03
internal sealed class TurnCredentials(string username, string password)
{
    /// <summary>Bytes of the longest name, realm or nonce (RFC 8489, section 14).</summary>
    // spec: CONST-351
    public const int MaxLength = 763;

    private byte[] _realm = []; // Not text: another writing of it would be another realm.
    private byte[] _nonce = [];
    private byte[] _key = [];

    /// <summary>Has the server said its realm?</summary>
    public bool AreKnown => _key.Length > 0;

    /// <summary>Takes realm and nonce from a refusal. False when they are missing or too long, or <paramref name="isNew"/> is wanted and nothing is new.</summary>
    public bool TryLearn(in StunMessage message, bool isNew)
    {
        bool hasRealm = message.TryFind(StunAttribute.Realm, out ReadOnlySpan<byte> realm);
        if (!message.TryFind(StunAttribute.Nonce, out ReadOnlySpan<byte> nonce) || (!hasRealm && !AreKnown) || realm.Length > MaxLength || nonce.Length > MaxLength)
            return false;
        bool isSame = AreKnown && (!hasRealm || realm.SequenceEqual(_realm));
        if (isNew && isSame && nonce.SequenceEqual(_nonce))
            return false;
        if (!isSame)
            (_realm, _key) = (realm.ToArray(), StunIntegrity.LongTermKey(username, realm, password));
        _nonce = nonce.ToArray();
        return true;
    }

    /// <summary>Ends a message so that the server believes it; gives its length.</summary>
    public int Sign(ref StunWriter writer)
    {
        if (!AreKnown)
            return writer.Finish();
        writer.Add(StunAttribute.Username, username);
        writer.Add(StunAttribute.Realm, _realm);
        writer.Add(StunAttribute.Nonce, _nonce);
        return writer.FinishWithIntegrity(_key);
    }

    /// <summary>Is that message from somebody who knows the password?</summary>
    public bool Verify(in StunMessage message) => message.HasIntegrity(_key);
}
