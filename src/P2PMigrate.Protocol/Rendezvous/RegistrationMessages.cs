using System.Buffers.Binary;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>Proof of an address: a server's code over it, echoed by the client.</summary>
internal readonly record struct AddressCookie(UInt128 Value)
{
    public static AddressCookie Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt128BigEndian(bytes));

    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, Value);

    /// <summary>The proof that <paramref name="address"/> is given now.</summary>
    public static AddressCookie Make(CookieSecret secret, Instant now, NetworkAddress address)
    {
        Span<byte> bytes = stackalloc byte[MessageMac.Size];
        secret.Make(now, address, bytes);
        return Read(bytes);
    }

    /// <summary>Does it prove this address?</summary>
    public bool Proves(CookieSecret secret, Instant now, NetworkAddress address)
    {
        Span<byte> bytes = stackalloc byte[MessageMac.Size];
        Write(bytes);
        return secret.IsGood(now, address, bytes);
    }
}

/// <summary><see cref="RendezvousMessageType.Hello"/>: header, zeros to 128 bytes.</summary>
internal readonly record struct HelloMessage(TransactionId Transaction)
{
    public static bool TryParse(ReadOnlySpan<byte> datagram, out HelloMessage message, out Refusal refusal)
    {
        bool isHello = RendezvousHeader.TryBegin(datagram, RendezvousMessageType.Hello, out ulong id, out WireReader body, out refusal);
        message = new HelloMessage(new TransactionId(id));
        return isHello && RendezvousHeader.Finish(datagram.Length == RendezvousHeader.RequestSize, ref body, out refusal);
    }

    public int Write(Span<byte> destination)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, RendezvousMessageType.Hello, Transaction.Value);
        return RendezvousHeader.Pad(ref writer, RendezvousHeader.RequestSize);
    }
}

/// <summary><see cref="RendezvousMessageType.Challenge"/>: cookie (16), challenge key (32), observed address, the server's other port and address if it has any.</summary>
internal readonly record struct ChallengeMessage(
    TransactionId Transaction, AddressCookie Cookie, PublicIdentity Key, NetworkAddress Observed, ServerAlternates Alternates = default)
{
    public static bool TryParse(ReadOnlySpan<byte> datagram, out ChallengeMessage message, out Refusal refusal)
    {
        message = default;
        if (!RendezvousHeader.TryBegin(datagram, RendezvousMessageType.Challenge, out ulong id, out WireReader body, out refusal))
        {
            return false;
        }

        bool isWhole = body.TryReadBytes(MessageMac.Size, out ReadOnlySpan<byte> cookie)
            & body.TryReadBytes(PublicIdentity.Size, out ReadOnlySpan<byte> bytes)
            & NetworkAddress.TryDecode(ref body, out NetworkAddress observed)
            & ServerAlternates.TryDecode(ref body, out ServerAlternates alternates);
        if (!RendezvousHeader.Finish(isWhole, ref body, out refusal))
        {
            return false;
        }

        refusal = PublicIdentity.TryCreate(bytes, out PublicIdentity? key) ? Refusal.None : Refusal.BadValue;
        message = new ChallengeMessage(new TransactionId(id), AddressCookie.Read(cookie), key!, observed, alternates);
        return refusal == Refusal.None;
    }

    public int Write(Span<byte> destination)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, RendezvousMessageType.Challenge, Transaction.Value);
        Cookie.Write(writer.Free);
        writer.Advance(MessageMac.Size);
        writer.WriteBytes(Key.Bytes);
        Observed.Encode(ref writer);
        Alternates.Encode(ref writer);
        return writer.Written;
    }
}

/// <summary>
/// <see cref="RendezvousMessageType.Register"/>: cookie (16), challenge key (32), client's key (32), zeros, code. The caller
/// seals and verifies the code with a <see cref="RegistrationKey"/>.
/// </summary>
internal readonly record struct RegisterMessage(TransactionId Transaction, AddressCookie Cookie, PublicIdentity ChallengeKey, PublicIdentity Client)
{
    public static bool TryParse(ReadOnlySpan<byte> datagram, out RegisterMessage message, out Refusal refusal)
    {
        message = default;
        if (!RendezvousHeader.TryBegin(datagram, RendezvousMessageType.Register, out ulong id, out WireReader body, out refusal))
        {
            return false;
        }

        bool isWhole = body.TryReadBytes(MessageMac.Size, out ReadOnlySpan<byte> cookie)
            & body.TryReadBytes(PublicIdentity.Size, out ReadOnlySpan<byte> challenge)
            & body.TryReadBytes(PublicIdentity.Size, out ReadOnlySpan<byte> client)
            & datagram.Length == RendezvousHeader.RequestSize;
        if (!isWhole)
        {
            refusal = Refusal.Truncated;
            return false;
        }

        bool areKeys = PublicIdentity.TryCreate(challenge, out PublicIdentity? challengeKey) & PublicIdentity.TryCreate(client, out PublicIdentity? clientKey);
        refusal = areKeys ? Refusal.None : Refusal.BadValue;
        message = new RegisterMessage(new TransactionId(id), AddressCookie.Read(cookie), challengeKey!, clientKey!);
        return areKeys;
    }

    public int Write(Span<byte> destination)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, RendezvousMessageType.Register, Transaction.Value);
        Cookie.Write(writer.Free);
        writer.Advance(MessageMac.Size);
        writer.WriteBytes(ChallengeKey.Bytes);
        writer.WriteBytes(Client.Bytes);
        return RendezvousHeader.Pad(ref writer, RendezvousHeader.RequestSize);
    }
}

/// <summary><see cref="RendezvousMessageType.Registered"/>: registration id (8), lifetime in seconds (4), observed address, code.</summary>
internal readonly record struct RegisteredMessage(TransactionId Transaction, ulong Registration, uint LifetimeSeconds, NetworkAddress Observed)
{
    public static bool TryParse(ReadOnlySpan<byte> datagram, out RegisteredMessage message, out Refusal refusal)
    {
        message = default;
        if (!RendezvousHeader.TryBegin(datagram, RendezvousMessageType.Registered, out ulong id, out WireReader body, out refusal))
        {
            return false;
        }

        bool isWhole = body.TryReadUInt64(out ulong registration)
            & body.TryReadUInt32(out uint lifetime)
            & NetworkAddress.TryDecode(ref body, out NetworkAddress observed)
            & body.Remaining == MessageMac.Size;
        refusal = isWhole ? Refusal.None : Refusal.Truncated;
        message = new RegisteredMessage(new TransactionId(id), registration, lifetime, observed);
        return isWhole;
    }

    public int Write(Span<byte> destination)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, RendezvousMessageType.Registered, Transaction.Value);
        writer.WriteUInt64(Registration);
        writer.WriteUInt32(LifetimeSeconds);
        Observed.Encode(ref writer);
        writer.WriteZeros(MessageMac.Size);
        return writer.Written;
    }
}

/// <summary>
/// <see cref="RendezvousMessageType.Refresh"/>: registration id (8), a counter that grows (8), wanted lifetime in seconds (4;
/// zero to leave), zeros, code.
/// </summary>
internal readonly record struct RefreshMessage(TransactionId Transaction, ulong Registration, ulong Counter, uint LifetimeSeconds)
{
    public static bool TryParse(ReadOnlySpan<byte> datagram, out RefreshMessage message, out Refusal refusal)
    {
        message = default;
        if (!RendezvousHeader.TryBegin(datagram, RendezvousMessageType.Refresh, out ulong id, out WireReader body, out refusal))
        {
            return false;
        }

        bool isWhole = body.TryReadUInt64(out ulong registration)
            & body.TryReadUInt64(out ulong counter)
            & body.TryReadUInt32(out uint lifetime)
            & datagram.Length == RendezvousHeader.RequestSize;
        refusal = isWhole ? Refusal.None : Refusal.Truncated;
        message = new RefreshMessage(new TransactionId(id), registration, counter, lifetime);
        return isWhole;
    }

    public int Write(Span<byte> destination)
    {
        WireWriter writer = RendezvousHeader.Begin(destination, RendezvousMessageType.Refresh, Transaction.Value);
        writer.WriteUInt64(Registration);
        writer.WriteUInt64(Counter);
        writer.WriteUInt32(LifetimeSeconds);
        return RendezvousHeader.Pad(ref writer, RendezvousHeader.RequestSize);
    }
}
