using P2PMigrate.Protocol.Turn;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Turn;

/// <summary>A TURN server for one client, written from RFC 8656: what a test may rely on, and what it may make fail.</summary>
internal sealed class MemoryTurnServer
{
    public const string Username = "user";
    public const string Password = "secret";

    private static readonly TimeSpan s_permission = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_channel = TimeSpan.FromMinutes(10);

    private readonly Dictionary<NetworkAddress, Instant> _permissions = [];
    private readonly Dictionary<ushort, (NetworkAddress Peer, Instant Until)> _channels = [];
    private StunTransactionId _allocatedBy;

    public static NetworkAddress Address { get; } = NetworkAddress.FromBytes([198, 51, 100, 1], 3478);

    public NetworkAddress Relayed { get; set; } = NetworkAddress.FromBytes([198, 51, 100, 1], 49_152);

    public Instant? Until { get; set; }

    public string Nonce { get; set; } = "nonce1";

    /// <summary>Answers that get lost.</summary>
    public int Losses { get; set; }

    public bool IsGone { get; set; }

    /// <summary>The next request of this kind is refused so.</summary>
    public (StunMethod Method, int Code)? Refusal { get; set; }

    public NetworkAddress? Alternate { get; set; }

    public uint Lifetime { get; set; } = 600;

    public byte[] Realm { get; set; } = [.. "example.org"u8];

    private byte[] Key => StunIntegrity.LongTermKey(Username, Realm, Password);

    public bool SignsErrors { get; set; } = true;

    public List<(StunMethod Method, int Code)> Log { get; } = [];

    public int Channels => _channels.Count;

    /// <summary>A new life: nothing is known any more.</summary>
    public void Restart()
    {
        Until = null;
        Nonce += "'";
        _permissions.Clear();
        _channels.Clear();
    }

    public byte[]? Handle(Instant now, ReadOnlySpan<byte> datagram)
    {
        if (IsGone || !StunMessage.TryParse(datagram, out StunMessage message, out _) || message.Class != StunClass.Request)
            return null;
        byte[] answer = Answer(now, message);
        return Losses-- > 0 ? null : answer;
    }

    public byte[]? Relay(Instant now, ReadOnlySpan<byte> datagram, out NetworkAddress peer)
    {
        if (ChannelData.TryParse(datagram, out ushort number, out ReadOnlySpan<byte> data))
        {
            peer = _channels.TryGetValue(number, out var channel) && now < channel.Until ? channel.Peer : default;
        }
        else if (!StunMessage.TryParse(datagram, out StunMessage message, out _) || message.Method != StunMethod.Send
            || !message.TryFindAddress(StunAttribute.XorPeerAddress, out peer) || !message.TryFind(StunAttribute.Data, out data))
        {
            peer = default;
            return null;
        }

        return now < Until && _permissions.TryGetValue(peer.WithPort(0), out Instant until) && now < until ? data.ToArray() : null;
    }

    public byte[]? Wrap(Instant now, NetworkAddress peer, byte[] data)
    {
        if (!(now < Until) || !_permissions.TryGetValue(peer.WithPort(0), out Instant until) || now >= until)
            return null;
        byte[] buffer = new byte[data.Length + 100];
        foreach ((ushort number, (NetworkAddress bound, Instant end)) in _channels)
        {
            if (bound != peer || now >= end)
                continue;
            ChannelData.WriteHeader(buffer, number, data.Length);
            data.CopyTo(buffer, ChannelData.HeaderSize);
            return buffer[..(ChannelData.HeaderSize + data.Length)];
        }

        var writer = new StunWriter(buffer, StunMethod.Data, StunClass.Indication, default);
        writer.Add(StunAttribute.XorPeerAddress, peer);
        writer.Add(StunAttribute.Data, data);
        return buffer[..writer.Finish()];
    }

    private byte[] Answer(Instant now, in StunMessage message)
    {
        int code = Refusal is { } refusal && refusal.Method == message.Method && message.ClaimsIntegrity ? refusal.Code
            : !message.ClaimsIntegrity || !message.HasIntegrity(Key) ? TurnErrors.Unauthenticated
            : !message.TryFind(StunAttribute.Nonce, out ReadOnlySpan<byte> nonce) || !nonce.SequenceEqual(System.Text.Encoding.UTF8.GetBytes(Nonce)) ? TurnErrors.StaleNonce
            : Grant(now, message);
        Log.Add((message.Method, code));
        if (code == TurnErrors.AllocationMismatch && Refusal is { Code: TurnErrors.AllocationMismatch })
            Until = null;
        byte[] buffer = new byte[2048];
        var writer = new StunWriter(buffer, message.Method, code == 0 ? StunClass.Success : StunClass.Error, message.Id);
        if (code is TurnErrors.Unauthenticated or TurnErrors.StaleNonce)
        {
            writer.Add(StunAttribute.Realm, Realm);
            writer.Add(StunAttribute.Nonce, Nonce);
        }

        if (code != 0)
            writer.Add(StunAttribute.ErrorCode, [0, 0, (byte)(code / 100), (byte)(code % 100)]);
        else if (message.Method == StunMethod.Allocate)
            writer.Add(StunAttribute.XorRelayedAddress, Relayed);
        if (code == TurnErrors.TryAlternate && Alternate is { } other)
            writer.Add(StunAttribute.AlternateServer, [0, 1, (byte)(other.Port >> 8), (byte)other.Port, .. other.ToIPAddress().GetAddressBytes()]);
        if (code == 0 && message.Method is StunMethod.Allocate or StunMethod.Refresh)
            writer.Add(StunAttribute.Lifetime, Lifetime);
        bool isSigned = message.HasIntegrity(Key) && (code == 0 || SignsErrors);
        return buffer[..(isSigned ? writer.FinishWithIntegrity(Key) : writer.Finish())];
    }

    private int Grant(Instant now, in StunMessage message)
    {
        bool isAllocated = now < Until;
        message.TryFindNumber(StunAttribute.Lifetime, out uint wanted);
        message.TryFindAddress(StunAttribute.XorPeerAddress, out NetworkAddress peer);
        switch (message.Method)
        {
            case StunMethod.Allocate when isAllocated && message.Id != _allocatedBy:
            case not StunMethod.Allocate when !isAllocated:
                return TurnErrors.AllocationMismatch;
            case StunMethod.Allocate:
                (Until, _allocatedBy) = (now + TimeSpan.FromSeconds(Lifetime), message.Id);
                return 0;
            case StunMethod.Refresh:
                Until = wanted == 0 ? null : now + TimeSpan.FromSeconds(Lifetime);
                return 0;
            case StunMethod.ChannelBind:
                message.TryFindNumber(StunAttribute.ChannelNumber, out uint number);
                if (IsBoundOtherwise(now, (ushort)(number >> 16), peer))
                    return 400;
                _channels[(ushort)(number >> 16)] = (peer, now + s_channel);
                break;
        }

        _permissions[peer.WithPort(0)] = now + s_permission;
        return 0;
    }

    // RFC 8656, section 12.2: neither the number for another peer, nor the peer with another number.
    private bool IsBoundOtherwise(Instant now, ushort number, NetworkAddress peer) =>
        _channels.Any(each => now < each.Value.Until && (each.Key == number) != (each.Value.Peer == peer));
}
