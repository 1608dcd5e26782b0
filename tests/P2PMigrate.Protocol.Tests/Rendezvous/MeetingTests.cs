using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

/// <summary>Two strangers, one ticket, a lossy way to the server: the whole of chapters 02, 03, 08 and 09 together.</summary>
public sealed class MeetingTests
{
    private const long UnixSeconds = 1_800_000_000;
    private const int FirstSeed = 1;
    private const int Seeds = 100;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Two_peers_meet_although_a_quarter_of_the_datagrams_is_lost_and_others_come_twice(bool isResponderBusy)
    {
        for (int seed = FirstSeed; seed < FirstSeed + Seeds; seed++)
        {
            using var meeting = new Meeting(seed, isResponderBusy);
            Assert.True(meeting.TryRun(), $"seed {seed}: set FirstSeed to it to replay");
            meeting.AssertSameSession(seed);
        }
    }

    private sealed class Meeting : IDisposable
    {
        private readonly RendezvousWorld _world;
        private readonly RendezvousWorld.Peer _left;
        private readonly RendezvousWorld.Peer _right;
        private readonly HandshakeInitiator _initiator;
        private readonly HandshakeResponder _responder;
        private readonly byte[] _buffer = new byte[1500];
        private readonly List<EstablishedSession> _atResponder = [];
        private EstablishedSession? _atInitiator;
        private TransactionId? _offer;
        private RelayLegId _leftLeg;
        private RelayLegId _rightLeg;

        public Meeting(int seed, bool isResponderBusy)
        {
            _world = new RendezvousWorld(seed: seed);
            _right = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
            _left = _world.AddPeer("198.51.100.1:1000", isRegistering: false);
            _world.Settle();
            var book = new TicketBook();
            var ticket = new Ticket { Responder = _right.Identity.Public, Secret = TicketSecret.Create(_world.Entropy), ExpiresAtUnixSeconds = UnixSeconds + 60 };
            book.Add(ticket, UnixSeconds);
            var options = new HandshakeResponderOptions { Identity = _right.Identity, Tickets = book, FreeHandshakesPerSecond = isResponderBusy ? 0 : 50 };
            _responder = new HandshakeResponder(options, _world.Entropy);
            _initiator = new HandshakeInitiator(
                _world.Now,
                new HandshakeInitiatorOptions { Identity = _left.Identity, Ticket = ticket, TimestampUnixNanoseconds = UnixSeconds * 1_000_000_000 },
                _world.Entropy);
            var random = new Random(seed);
            _world.Copies = _ => random.Next(20) switch { < 5 => 0, < 8 => 2, _ => 1 };
        }

        public bool TryRun()
        {
            while (_initiator.State == HandshakeState.Waiting)
            {
                OfferWhatIsDue();
                _world.Advance(TimeSpan.FromMilliseconds(10));
                AnswerOffers();
                TakeAnswers();
                _initiator.HandleTimeout(_world.Now);
            }

            return _atInitiator is not null;
        }

        public void AssertSameSession(int seed)
        {
            EstablishedSession right = Assert.Single(_atResponder);
            Assert.Equal(_atInitiator!.Transcript, right.Transcript.ToArray());
            using PacketKeys sending = _atInitiator.Keys.Next(), receiving = right.Keys.Next();
            byte[] plaintext = [1, 2, 3], ciphertext = new byte[3 + sending.Sealer.TagLength], opened = new byte[3];
            sending.Sealer.Seal(1, 0, [], plaintext, ciphertext);
            Assert.True(_world.Relay(_left, _leftLeg, ciphertext, out NetworkAddress destination, out byte[] frame, out _), $"seed {seed}");
            Assert.Equal(_right.Address, destination);
            Assert.True(RelayFrame.TryParse(frame, out RelayLegId leg, out ReadOnlySpan<byte> inner, out _));
            Assert.Equal(_rightLeg, leg);
            Assert.True(receiving.Opener.TryOpen(1, 0, [], inner, opened));
        }

        public void Dispose()
        {
            _atInitiator?.Dispose();
            _atResponder.ForEach(session => session.Dispose());
            _initiator.Dispose();
            _responder.Dispose();
            _world.Dispose();
        }

        private void OfferWhatIsDue()
        {
            while (_initiator.TryPollTransmit(_buffer, out int length))
            {
                if (_offer is { } offer)
                {
                    _left.Client.ReplaceOffer(_world.Now, offer, _buffer.AsSpan(0, length));
                }
                else
                {
                    _offer = _left.Client.Offer(_world.Now, _right.Id, _buffer.AsSpan(0, length));
                }
            }
        }

        private void AnswerOffers()
        {
            foreach (OfferReceived offer in _right.Events.OfType<OfferReceived>())
            {
                HandshakeAnswer answer = _responder.Handle(_world.Now, UnixSeconds, offer.Initiator, offer.Init.Span, _buffer);
                _rightLeg = offer.Leg;
                if (answer.ReplyLength > 0)
                {
                    _right.Client.Answer(offer.Offer, _buffer.AsSpan(0, answer.ReplyLength));
                }

                if (answer.Session is not null)
                {
                    _atResponder.Add(answer.Session);
                }
            }

            _right.Events.Clear();
        }

        private void TakeAnswers()
        {
            foreach (AnswerReceived answer in _left.Events.OfType<AnswerReceived>())
            {
                _leftLeg = answer.Leg;
                if (_initiator.TryHandle(_world.Now, answer.Datagram.Span, out _) && _initiator.State == HandshakeState.Established)
                {
                    _atInitiator = _initiator.TakeSession();
                }
            }

            _left.Events.Clear();
        }
    }
}
