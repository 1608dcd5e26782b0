using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

/// <summary>Hostile bytes against both cores.</summary>
public sealed class RendezvousParserTests : IDisposable
{
    private readonly RendezvousWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Every_message_cut_at_any_length_is_refused_with_a_reason()
    {
        _world.Meet();
        _world.Advance(TimeSpan.FromSeconds(21));
        RendezvousWorld.Peer listener = _world.Peers[0];
        byte[][] messages = [.. _world.Sent.GroupBy(sent => sent.Datagram[1]).Select(group => group.First().Datagram)];
        Assert.Equal(10, messages.Length);

        foreach (byte[] message in messages)
        {
            for (int length = 0; length < message.Length; length++)
            {
                // What a message carries is not the server's to judge: cut inside it, it is another message.
                bool isCarrier = message[1] is (byte)RendezvousMessageType.Offer or (byte)RendezvousMessageType.Answer
                    or (byte)RendezvousMessageType.OfferDelivery or (byte)RendezvousMessageType.AnswerDelivery;
                Refusal atServer = _world.SendToServer(RendezvousWorld.Address("203.0.113.1:1"), message.AsSpan(0, length));
                Refusal atClient = listener.Client.Handle(_world.Now, message.AsSpan(0, length));
                Assert.NotEqual(Refusal.None, atServer);
                Assert.True(isCarrier || atClient != Refusal.None, $"type {message[1]}, length {length}");
                Assert.NotEmpty(atServer.ToSentence());
                Drain();
            }
        }
    }

    [Fact]
    public void Random_bytes_never_throw_and_never_get_an_amplified_answer()
    {
        const int Seed = 20_260_102; // change it to try others
        _world.Meet();
        var random = new Random(Seed);
        RendezvousWorld.Peer listener = _world.Peers[0];
        for (int count = 0; count < 10_000; count++)
        {
            byte[] bytes = new byte[random.Next(3) == 0 ? RendezvousHeader.RequestSize : random.Next(1400)];
            random.NextBytes(bytes);
            if (bytes.Length > 4)
            {
                bytes[0] = FirstByte.Rendezvous;
                bytes[1] = (byte)random.Next(0, 14);
                bytes[2] = bytes[3] = 0;
            }

            var source = RendezvousWorld.Address($"203.0.113.{random.Next(1, 255)}:7");
            _world.SendToServer(source, bytes);
            Assert.True(Drain() <= bytes.Length, $"seed {Seed}, datagram {count}");
            listener.Client.Handle(_world.Now, bytes);
            byte[] frame = [.. bytes];
            if (frame.Length > 0)
            {
                frame[0] = FirstByte.RelayFrame;
            }

            Assert.False(_world.Server.TryRelay(_world.Now, source, frame, out _, out Refusal refusal));
            Assert.NotEqual(Refusal.None, refusal);
        }
    }

    [Fact]
    public void Forged_messages_do_not_move_a_client()
    {
        RendezvousWorld.Peer peer = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        _world.Settle();
        byte[] buffer = new byte[RendezvousHeader.MaxSize];
        NetworkAddress elsewhere = RendezvousWorld.Address("203.0.113.1:1");

        int length = new StatusMessage(new TransactionId(99), OfferStatus.PeerUnknown, elsewhere).Write(buffer);
        Assert.Equal(Refusal.Unexpected, peer.Client.Handle(_world.Now, buffer.AsSpan(0, length)));
        length = new RegisteredMessage(new TransactionId(99), 1, 60, elsewhere).Write(buffer);
        Assert.Equal(Refusal.Unexpected, peer.Client.Handle(_world.Now, buffer.AsSpan(0, length)));
        length = new ChallengeMessage(new TransactionId(99), default, peer.Identity.Public, elsewhere).Write(buffer);
        Assert.Equal(Refusal.Unexpected, peer.Client.Handle(_world.Now, buffer.AsSpan(0, length)));

        Assert.Equal(peer.Address, peer.Client.Observed);
        Assert.True(peer.Client.IsRegistered);
    }

    private int Drain()
    {
        int bytes = 0;
        byte[] buffer = new byte[2048];
        while (_world.Server.TryPollTransmit(buffer, out _, out int length))
        {
            bytes += length;
        }

        return bytes;
    }
}
