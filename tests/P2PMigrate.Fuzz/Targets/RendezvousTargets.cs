using P2PMigrate.Fuzz.Engine;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>A rendezvous server and a client of one, told whatever a stranger likes: <c>length (2 bytes), datagram</c>, again and again.</summary>
internal static class RendezvousTargets
{
    private static readonly NetworkAddress s_server = NetworkAddress.FromBytes([198, 51, 100, 1], 3478);
    private static readonly NetworkAddress s_otherAddress = NetworkAddress.FromBytes([198, 51, 100, 2], 3480);

    private const int MaxDatagrams = 1_000;

    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        new("rendezvous-server", RunServer, Seeds), new("rendezvous-client", RunClient, Seeds),
        new("nat-survey", RunSurvey, SurveySeeds),
        new("nat-profile", RunProfile, () => [new byte[10], [3, 2, 2, 254, 255, 0, 0, 0, 0, 4, 192, 0, 2, 1, 187, 1], [3, 3, 3, 0, 0, 0, 4, 255, 7, 6, .. new byte[17], 9]]) { MaxLength = 100 },
        new("relay-frame", bytes => RelayFrame.TryParse(bytes, out _, out _, out _), () => [[0x70, .. new byte[40]]]) { MaxLength = 200 },
    ];

    private static void RunServer(byte[] input)
    {
        using var server = new RendezvousServerCore(new RendezvousServerOptions(), new SeededEntropy(1), new ServerAlternates(3479, s_otherAddress));
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
            for (int i = 0; server.TryPollAside(buffer, out _, out _, out int length); i++)
                Require(i < 1 && length <= datagram.Length);
            if (RendezvousMirror.TryAnswer(source, datagram, buffer, out int answer, out _))
                Require(answer <= datagram.Length);
        }
    }

    // What comes is addressed well: the question that the first byte names lends its transaction, its socket and its sender.
    private static void RunSurvey(byte[] input)
    {
        NatSurvey survey = Survey();
        Instant now = new(1_000_000_000);
        byte[] buffer = new byte[NatSurvey.MaxDatagramSize];
        List<(SurveyTransmit Transmit, byte[] Id)> asked = [];
        int sent = 0;
        foreach (byte[] datagram in Pieces(input))
        {
            now += TimeSpan.FromMilliseconds(50);
            for (; survey.TryPollTransmit(buffer, out SurveyTransmit transmit); sent++)
                asked.Add((transmit, buffer[4..12]));
            (SurveyTransmit question, byte[] id) = asked[datagram.Length == 0 ? 0 : datagram[0] % asked.Count];
            if (datagram.Length > 13)
                id.CopyTo(datagram, 5);
            survey.TryHandle(now, question.Socket, question.Destination, datagram.AsSpan(Math.Min(1, datagram.Length)));
            survey.HandleTimeout(now);
            survey.TryTakeReport(out NatReport report);
            Require(Encode(report.Profile) is { } bytes && TryDecode(bytes, out NatProfile read) && read == report.Profile);
        }

        for (int turn = 0; !survey.IsOver; turn++)
        {
            Require(turn < MaxDatagrams && survey.NextTimeout < Instant.Never);
            now = Instant.Max(now, survey.NextTimeout);
            survey.HandleTimeout(now);
            for (; survey.TryPollTransmit(buffer, out _); sent++)
            {
            }
        }

        Require(sent <= 7 * 4 + 3 * 3);
    }

    private static void RunProfile(byte[] bytes)
    {
        if (TryDecode(bytes, out NatProfile profile))
            Require(TryDecode(Encode(profile), out NatProfile again) && again == profile);
    }

    private static bool TryDecode(byte[] bytes, out NatProfile profile)
    {
        var reader = new WireReader(bytes);
        return NatProfile.TryDecode(ref reader, out profile);
    }

    private static byte[] Encode(NatProfile profile)
    {
        byte[] bytes = new byte[NatProfile.MaxEncodedLength];
        var writer = new WireWriter(bytes);
        profile.Encode(ref writer);
        return bytes[..writer.Written];
    }

    private static NatSurvey Survey() => new(
        new Instant(1_000_000_000),
        new NatSurveyOptions { Server = s_server, Alternates = new ServerAlternates(3479, s_otherAddress), LocalPorts = [5000, 5001, 5002, 5003, 5004] },
        new SeededEntropy(1));

    // Each question answered as an honest server would: challenge for its main socket, echoed for the others.
    private static IEnumerable<byte[]> SurveySeeds()
    {
        byte[] address = [4, 203, 0, 113, 7, 0x88, 0x13];
        byte[] echoed = [0x60, 21, .. new byte[10], .. address];
        byte[] challenge = [0x60, 2, .. new byte[10], .. new byte[16], 9, .. new byte[31], .. address, 0x97, 0x0d, 0];
        yield return [.. Enumerable.Range(0, 12).SelectMany(index => Piece([(byte)index, .. index is 1 or 2 or > 6 ? echoed : challenge]))];
        yield return [.. Enumerable.Range(0, 10).SelectMany(index => Piece([(byte)index, 0x60, 22, .. new byte[10]]))];
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
        for (byte type = 0; type < 24; type++)
            yield return [.. Piece([0x60, type, .. new byte[126]]), .. Piece([0x60, type, .. new byte[1000]]), .. Piece([0x60, type, .. new byte[30]])];
    }

    private static byte[] Piece(byte[] datagram) => [(byte)datagram.Length, (byte)(datagram.Length >> 8), .. datagram];

    private static void Require(bool holds)
    {
        if (!holds)
            throw new InvalidOperationException("Datagrams do not come to an end.");
    }
}
