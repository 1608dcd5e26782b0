using P2PMigrate.Fuzz.Engine;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>A rendezvous server and a client of one, told whatever a stranger likes: <c>length (2 bytes), datagram</c>, again and again.</summary>
internal static class RendezvousTargets
{
    private const int MaxDatagrams = 1_000;

    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        new("rendezvous-server", RunServer, Seeds), new("rendezvous-client", RunClient, Seeds),
        new("relay-frame", bytes => RelayFrame.TryParse(bytes, out _, out _, out _), () => [[0x70, .. new byte[40]]]) { MaxLength = 200 },
    ];

    private static void RunServer(byte[] input)
    {
        using var server = new RendezvousServerCore(new RendezvousServerOptions(), new SeededEntropy(1));
        Instant now = new(1_000_000_000);
        byte[] buffer = new byte[2048];
        foreach (byte[] datagram in Pieces(input))
        {
            now += TimeSpan.FromSeconds(1);
            NetworkAddress source = NetworkAddress.FromBytes([192, 0, 2, (byte)(1 + datagram.Length % 3)], 1000);
            server.Handle(now, source, datagram);
            server.TryRelay(now, source, datagram, out _, out _);
            server.HandleTimeout(now);
            for (int i = 0; server.TryPollTransmit(buffer, out _, out _); i++)
                Require(i < MaxDatagrams);
        }
    }

    private static void RunClient(byte[] input)
    {
        var entropy = new SeededEntropy(1);
        using PrivateIdentity identity = PrivateIdentity.Create(entropy);
        var client = new RendezvousClientCore(new RendezvousClientOptions { Identity = identity, IsRegistering = true }, entropy);
        Instant now = new(1_000_000_000);
        byte[] buffer = new byte[2048];
        client.Start(now);
        client.Offer(now, identity.PeerId, new byte[780]);
        foreach (byte[] datagram in Pieces(input))
        {
            now += TimeSpan.FromMilliseconds(300);
            client.Handle(now, datagram);
            client.HandleTimeout(now);
            while (client.TryPollEvent(out _))
            {
            }

            for (int i = 0; client.TryPollTransmit(buffer, out _); i++)
                Require(i < MaxDatagrams);
        }
    }

    private static IEnumerable<byte[]> Pieces(byte[] input)
    {
        for (int at = 0; at + 2 <= input.Length;)
        {
            int length = Math.Min(input[at] | (input[at + 1] & 7) << 8, input.Length - at - 2);
            yield return input[(at + 2)..(at + 2 + length)];
            at += 2 + length;
        }
    }

    // What an honest client sends first, and the first bytes of every type with the length that it has.
    private static IEnumerable<byte[]> Seeds()
    {
        var entropy = new SeededEntropy(1);
        using PrivateIdentity identity = PrivateIdentity.Create(entropy);
        var client = new RendezvousClientCore(new RendezvousClientOptions { Identity = identity, IsRegistering = true }, entropy);
        client.Start(new Instant(1));
        byte[] buffer = new byte[2048];
        while (client.TryPollTransmit(buffer, out int length))
            yield return Piece(buffer[..length]);
        for (byte type = 0; type < 14; type++)
            yield return [.. Piece([0x60, type, .. new byte[126]]), .. Piece([0x60, type, .. new byte[1000]]), .. Piece([0x60, type, .. new byte[30]])];
    }

    private static byte[] Piece(byte[] datagram) => [(byte)datagram.Length, (byte)(datagram.Length >> 8), .. datagram];

    private static void Require(bool holds)
    {
        if (!holds)
            throw new InvalidOperationException("Datagrams do not come to an end.");
    }
}
