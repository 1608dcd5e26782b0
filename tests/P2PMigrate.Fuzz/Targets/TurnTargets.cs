using P2PMigrate.Fuzz.Engine;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Turn;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>A TURN server says whatever it likes: to the parsers of its messages, and to a client with an allocation.</summary>
internal static class TurnTargets
{
    private const int MaxSteps = 1_000;

    private static readonly NetworkAddress s_server = NetworkAddress.FromBytes([198, 51, 100, 1], 3478);
    private static readonly NetworkAddress s_peer = NetworkAddress.FromBytes([192, 0, 2, 1], 1000);

    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        new("stun-message", RunMessage, Seeds) { MaxLength = 2048 },
        new("turn-client", RunClient, Scripts),
        new("channel-data", bytes => ChannelData.TryParse(bytes, out _, out _), () => [[0x40, 1, 0, 2, 5, 6], [0x4F, 255, 0, 1, 5, 0, 0, 0]]) { MaxLength = 100 },
    ];

    private static void RunMessage(byte[] input)
    {
        if (!StunMessage.TryParse(input, out StunMessage message, out _))
            return;
        foreach (StunAttribute attribute in Enum.GetValues<StunAttribute>())
        {
            message.TryFindAddress(attribute, out _);
            message.TryFindNumber(attribute, out _);
        }

        _ = message.ErrorCode;
        message.HasIntegrity(new byte[StunIntegrity.KeySize]);
    }

    /// <summary>
    /// <c>length (2 bytes), datagram</c>, again and again; time passes by itself. An answer bears the transaction of the newest question. Between them
    /// the client sends to a peer.
    /// </summary>
    private static void RunClient(byte[] input)
    {
        var client = new TurnClient(new TurnClientOptions { Server = s_server, Name = "x:1", Username = "u", Password = "p" }, new SeededEntropy(1));
        Instant now = new(1_000_000_000);
        byte[] buffer = new byte[2048];
        byte[] asked = new byte[StunMessage.HeaderSize];
        client.Start(now);
        for (int at = 0; at + 2 <= input.Length;)
        {
            int length = Math.Min(input[at] | (input[at + 1] & 7) << 8, input.Length - at - 2);
            byte[] datagram = input[(at + 2)..(at + 2 + length)];
            at += 2 + length;
            for (int i = 0; client.TryPollTransmit(out ReadOnlyMemory<byte> sent); i++)
            {
                Require(i < MaxSteps);
                sent.Span[..asked.Length].CopyTo(asked);
            }

            if (length >= asked.Length)
                asked.AsSpan(8).CopyTo(datagram.AsSpan(8));
            if (client.TryUnwrap(now, datagram, out _, out ReadOnlySpan<byte> data))
                Require(!data.IsEmpty);
            client.Handle(now, datagram);
            Require(client.WriteIndication(now, new(1), s_peer, [1, 2, 3], buffer) <= 3 + TurnClient.IndicationOverhead);
            client.HandleTimeout(now);
            for (int i = 0; client.TryPollEvent(out _); i++)
                Require(i < MaxSteps);
            now += TimeSpan.FromMilliseconds(1 << (input[at - length - 2] >> 4));
        }
    }

    private static void Require(bool condition)
    {
        if (!condition)
            throw new InvalidOperationException("A TURN client said too much.");
    }

    private static IReadOnlyList<byte[]> Scripts() => [[.. Seeds().SelectMany(seed => (byte[])[(byte)seed.Length, 0, .. seed])]];

    private static IReadOnlyList<byte[]> Seeds()
    {
        byte[] buffer = new byte[256];
        var answer = new StunWriter(buffer, StunMethod.Allocate, StunClass.Error, default);
        answer.Add(StunAttribute.ErrorCode, [0, 0, 4, 1]);
        answer.Add(StunAttribute.Realm, "realm");
        byte[] error = buffer[..answer.FinishWithIntegrity(new byte[StunIntegrity.KeySize])];
        var indication = new StunWriter(buffer, StunMethod.Data, StunClass.Indication, default);
        indication.Add(StunAttribute.XorPeerAddress, s_peer);
        indication.Add(StunAttribute.Data, [1, 2, 3]);
        return [error, buffer[..indication.FinishWithFingerprint()]];
    }
}
