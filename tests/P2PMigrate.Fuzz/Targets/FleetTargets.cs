using P2PMigrate.Fuzz.Engine;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>A server of a fleet that has a peer and an open offer, told by its directory whatever that likes: one message.</summary>
internal static class FleetTargets
{
    private const int MaxDatagrams = 1_000;

    private static readonly NetworkAddress s_self = Address(1), s_other = Address(2), s_peer = Address(3), s_initiator = Address(4);

    public static IReadOnlyList<FuzzTarget> List { get; } = [new("rendezvous-fleet", Run, Seeds) { MaxLength = 1_400 }];

    private static void Run(byte[] input)
    {
        Instant now = new(1_000_000_000);
        using PrivateIdentity identity = PrivateIdentity.Create(new SeededEntropy(1));
        using RendezvousServerCore server = Open(s_self, identity, now);
        byte[] buffer = new byte[2048];
        server.HandleFleetMessage(now, input);
        server.HandleTimeout(now + TimeSpan.FromSeconds(2));
        for (int i = 0; server.TryPollTransmit(buffer, out NetworkAddress to, out int length); i++)
        {
            if (i == MaxDatagrams || (to != s_peer && to != s_initiator && length > 20))
                throw new InvalidOperationException("More than a question goes to an address that nobody proved.");
        }
    }

    // A server with one registered peer and one offer that it passed on, all of it made from fixed seeds: its tokens are the same each time.
    private static RendezvousServerCore Open(NetworkAddress address, PrivateIdentity identity, Instant now)
    {
        var entropy = new SeededEntropy(1);
        var server = new RendezvousServerCore(new RendezvousServerOptions { Fleet = new FleetMembership(new ServerId(7), address) }, entropy);
        var client = new RendezvousClientCore(new RendezvousClientOptions { Identity = identity, IsRegistering = true }, entropy);
        var initiator = new RendezvousClientCore(new RendezvousClientOptions { Identity = identity }, entropy);
        client.Start(now);
        initiator.Start(now);
        initiator.Offer(now, default, [FirstByte.HandshakeInit, .. new byte[300]]);
        byte[] buffer = new byte[2048];
        for (int round = 0; round < 4; round++)
        {
            while (client.TryPollTransmit(buffer, out int length))
                server.Handle(now, s_peer, buffer.AsSpan(0, length));
            while (initiator.TryPollTransmit(buffer, out int length))
                server.Handle(now, s_initiator, buffer.AsSpan(0, length));
            while (server.TryPollTransmit(buffer, out NetworkAddress to, out int length))
                (to == s_peer ? client : initiator).Handle(now, buffer.AsSpan(0, length));
        }

        return server;
    }

    private static IEnumerable<byte[]> Seeds()
    {
        Instant now = new(1_000_000_000);
        using PrivateIdentity identity = PrivateIdentity.Create(new SeededEntropy(1));
        using RendezvousServerCore server = Open(s_self, identity, now);
        while (server.TryPollFleet(out FleetRequest? request))
        {
            if (request is not TellHolder tell)
                continue;
            yield return Offer(tell.Token, identity.PeerId);
            yield return Answer(tell.Token, new RelayLegId(9));
            yield return Answer(tell.Token, RelayLegId.None);
            yield return Unknown(tell.Token);
            yield return Side(isInitiator: true, RelayLegId.None);
            yield return Side(isInitiator: false, new RelayLegId(9));
        }
    }

    private static byte[] Offer(OfferId token, PeerId target)
    {
        byte[] buffer = new byte[FleetHeader.MaxSize];
        WireWriter writer = new FleetHeader(FleetMessageKind.Offer, token, new ServerId(8)).Begin(buffer);
        new FleetOffer(s_other, target, s_initiator, new byte[] { FirstByte.HandshakeInit, 1, 2, 3 }).Write(ref writer);
        return buffer[..writer.Written];
    }

    private static byte[] Answer(OfferId token, RelayLegId trunk)
    {
        byte[] buffer = new byte[FleetHeader.MaxSize];
        WireWriter writer = new FleetHeader(FleetMessageKind.Answer, token, new ServerId(8)).Begin(buffer);
        new FleetAnswer(trunk, s_other, s_peer, new byte[] { FirstByte.HandshakeResponse, 1, 2, 3 }).Write(ref writer);
        return buffer[..writer.Written];
    }

    private static byte[] Side(bool isInitiator, RelayLegId trunk)
    {
        byte[] buffer = new byte[FleetHeader.MaxSize];
        WireWriter writer = new FleetHeader(FleetMessageKind.Side, default, new ServerId(8)).Begin(buffer);
        new FleetSide(ChannelName.Of(new byte[32]).Tag, isInitiator, trunk, s_other).Write(ref writer);
        return buffer[..writer.Written];
    }

    private static byte[] Unknown(OfferId token)
    {
        byte[] buffer = new byte[FleetHeader.MaxSize];
        WireWriter writer = new FleetHeader(FleetMessageKind.Unknown, token, new ServerId(8)).Begin(buffer);
        return buffer[..writer.Written];
    }

    private static NetworkAddress Address(byte last) => NetworkAddress.FromBytes([192, 0, 2, last], 1000);
}
