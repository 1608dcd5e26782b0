using P2PMigrate.Protocol.Handshake;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Rendezvous;

public sealed class RegistrationTests : IDisposable
{
    private readonly RendezvousWorld _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    [Trait("Spec", "RDV-03")]
    public void A_peer_learns_its_address_and_is_registered_after_two_round_trips()
    {
        RendezvousWorld.Peer peer = _world.AddPeer("198.51.100.2:2000", isRegistering: true);

        _world.Settle();

        Assert.Equal([new ObservedAddressChanged(peer.Address), new PeerRegistered()], peer.Events);
        Assert.True(peer.Client.IsRegistered);
        Assert.Equal(peer.Address, peer.Client.Observed);
        Assert.Equal(4, _world.Sent.Count);
        Assert.Equal(1, _world.Server.Statistics.Registrations);
    }

    [Fact]
    [Trait("Spec", "RDV-02")]
    public void No_reply_is_larger_than_the_request_that_caused_it()
    {
        RendezvousWorld.Peer peer = _world.AddPeer("[2001:db8::2]:2000", isRegistering: true);
        _world.Advance(TimeSpan.FromSeconds(60));

        for (int index = 1; index < _world.Sent.Count; index += 2)
        {
            Assert.True(_world.Sent[index - 1].ToServer && !_world.Sent[index].ToServer);
            Assert.True(_world.Sent[index].Datagram.Length <= _world.Sent[index - 1].Datagram.Length);
        }

        Assert.True(peer.Client.IsRegistered);
    }

    [Fact]
    [Trait("Spec", "RDV-60")]
    public void A_NAT_that_forgets_between_two_refreshes_is_given_less_time_to_do_so_but_another_host_is_no_such_sign()
    {
        RendezvousWorld.Peer peer = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        _world.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(3, RefreshesAfter("203.0.113.7:2000"));
        Assert.Equal(6, RefreshesAfter("203.0.113.7:2001"));
        Assert.Equal(12, RefreshesAfter("203.0.113.7:2002"));
        Assert.Equal(12, RefreshesAfter("203.0.113.7:2003"));
        Assert.True(peer.Client.IsRegistered);

        int RefreshesAfter(string address)
        {
            peer.Address = RendezvousWorld.Address(address);
            _world.Advance(TimeSpan.FromSeconds(25));
            int before = _world.Sent.Count(sent => sent.ToServer);
            _world.Advance(TimeSpan.FromSeconds(60));
            return _world.Sent.Count(sent => sent.ToServer) - before;
        }
    }

    [Theory]
    [Trait("Spec", "RDV-17")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_peer_that_has_moved_learns_its_new_address_without_time_passing(bool isRegistering)
    {
        RendezvousWorld.Peer peer = _world.AddPeer("198.51.100.2:2000", isRegistering);
        _world.Settle();
        peer.Address = RendezvousWorld.Address("203.0.113.7:4000");

        peer.Client.Renew(_world.Now);
        _world.Settle();

        Assert.Equal(peer.Address, peer.Client.Observed);
        Assert.Contains(new ObservedAddressChanged(peer.Address), peer.Events);
        Assert.Equal(isRegistering, peer.Client.IsRegistered);
    }

    [Theory]
    [Trait("Spec", "RDV-17")]
    [InlineData(true, 100)]
    [InlineData(false, 100)]
    [InlineData(true, 150)]
    [InlineData(true, 300)]
    [InlineData(false, 300)]
    public void Renewals_without_end_neither_keep_an_exchange_from_ending_nor_make_a_storm(bool isRegistering, int delayMs)
    {
        FarServer far = new(_world, isRegistering, delayMs);

        far.Run(TimeSpan.FromSeconds(3), each: () => far.Peer.Client.Renew(_world.Now));

        Assert.Equal(isRegistering, far.Peer.Client.IsRegistered);
        Assert.Contains(far.Peer.Events, news => news is ObservedAddressChanged);
        Assert.InRange(far.Requests, 2, 3 * 8 + 8);
    }

    [Fact]
    [Trait("Spec", "RDV-17")]
    public void A_renewal_amid_an_exchange_finds_the_address_that_is_new_since()
    {
        FarServer far = new(_world, isRegistering: true);
        far.Run(TimeSpan.FromSeconds(2));
        far.Peer.Client.Renew(_world.Now);
        far.Run(TimeSpan.FromMilliseconds(20));
        far.Peer.Address = RendezvousWorld.Address("203.0.113.7:4000");
        far.Peer.Client.Renew(_world.Now);

        far.Run(TimeSpan.FromSeconds(3));

        Assert.Equal(far.Peer.Address, far.Peer.Client.Observed);
        Assert.True(far.Peer.Client.IsRegistered);
    }

    [Fact]
    [Trait("Spec", "RDV-49")]
    public void A_repeated_request_to_register_keeps_the_registration_as_it_is()
    {
        RendezvousWorld.Peer peer = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        _world.Settle();
        byte[] register = _world.Sent.Single(sent => sent.ToServer && sent.Datagram[1] == (byte)RendezvousMessageType.Register).Datagram;

        Assert.Equal(Refusal.None, _world.SendToServer(peer.Address, register));
        _world.Advance(TimeSpan.FromSeconds(61));

        Assert.Single(_world.Sent, sent => sent.ToServer && sent.Datagram[1] == (byte)RendezvousMessageType.Hello);
        Assert.Single(_world.Sent, sent => sent.ToServer && sent.Datagram[1] == (byte)RendezvousMessageType.Register);
        Assert.True(peer.Client.IsRegistered);
    }

    [Theory]
    [Trait("Spec", "RDV-48")]
    [InlineData("198.51.100.{0}:2000", 5)]
    [InlineData("198.51.100.1:200{0}", 2)]
    [InlineData("[2001:db8:0:{0}::1]:2000", 5)]
    [InlineData("[2001:db8::{0}]:2000", 2)]
    [InlineData("[100::2001:db8:0:{0}]:2000", 5)]
    public void One_host_has_only_its_share_of_the_registrations_whatever_addresses_it_takes(string addresses, int registered)
    {
        using var world = new RendezvousWorld(new RendezvousServerOptions { MaxRegistrationsPerHost = 2 });
        for (int index = 1; index <= 5; index++)
            world.AddPeer(string.Format(System.Globalization.CultureInfo.InvariantCulture, addresses, index), isRegistering: true);

        world.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(registered, world.Server.Statistics.Registrations);

        world.Peers.Find(peer => peer.Client.IsRegistered)!.Client.Leave();
        world.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(Math.Min(registered, 4), world.Server.Statistics.Registrations); // one that waited has its place
    }

    [Theory]
    [Trait("Spec", "RDV-51")]
    [InlineData("[2001:db8:0:{0}::{1}]:2000", 8)]
    [InlineData("[2001:db8:{0}::{1}]:2000", 12)]
    public void One_site_has_only_the_share_of_four_hosts_whatever_networks_it_takes(string addresses, int registered)
    {
        using var world = new RendezvousWorld(new RendezvousServerOptions { MaxRegistrationsPerHost = 2 });
        for (int index = 0; index < 12; index++)
            world.AddPeer(string.Format(System.Globalization.CultureInfo.InvariantCulture, addresses, index / 2, index), isRegistering: true);

        world.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(registered, world.Server.Statistics.Registrations);
    }

    [Theory]
    [Trait("Spec", "RDV-15")]
    [InlineData("[2001:db8:0:7::{0}]:2000", 3)]
    [InlineData("[2001:db8:0:{0}::7]:2000", 9)]
    public void Registrations_of_one_network_of_64_bits_share_one_rate(string addresses, int registered)
    {
        using var world = new RendezvousWorld(new RendezvousServerOptions { RegistrationsPerSecondAndHost = 3 });
        for (int index = 1; index <= 9; index++)
            world.AddPeer(string.Format(System.Globalization.CultureInfo.InvariantCulture, addresses, index), isRegistering: true);

        world.Settle();

        Assert.Equal(registered, world.Server.Statistics.Registrations);
    }

    [Fact]
    [Trait("Spec", "RDV-08")]
    public void A_registration_is_kept_alive_with_one_request_each_twenty_seconds()
    {
        RendezvousWorld.Peer peer = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        _world.Settle();
        int before = _world.Sent.Count;

        _world.Advance(TimeSpan.FromSeconds(601));

        Assert.Equal(2 * 30, _world.Sent.Count - before);
        Assert.True(peer.Client.IsRegistered);
        Assert.Single(peer.Events.OfType<PeerRegistered>());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Lost_and_repeated_datagram_delay_a_registration_but_do_not_prevent_it(int seed)
    {
        var random = new Random(seed);
        _world.Copies = _ => random.Next(10) switch { < 4 => 0, < 6 => 2, _ => 1 };
        RendezvousWorld.Peer peer = _world.AddPeer("198.51.100.2:2000", isRegistering: true);

        _world.Advance(TimeSpan.FromMinutes(5));
        _world.Copies = _ => 1;
        _world.Advance(TimeSpan.FromSeconds(10));

        Assert.True(peer.Client.IsRegistered);
        Assert.Equal(1, _world.Server.Statistics.Registrations);
    }

    [Fact]
    [Trait("Spec", "RDV-08")]
    public void A_new_address_is_proven_before_it_counts()
    {
        RendezvousWorld.Peer peer = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        _world.Settle();
        peer.Address = RendezvousWorld.Address("198.51.100.2:2001");

        _world.Advance(TimeSpan.FromSeconds(21));

        Assert.Equal(peer.Address, peer.Client.Observed);
        Assert.True(peer.Client.IsRegistered);
        Assert.Equal(1, _world.Server.Statistics.Registrations);
    }

    [Fact]
    public void A_restarted_server_has_its_peers_back_within_one_refresh()
    {
        RendezvousWorld.Peer peer = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        _world.Settle();
        _world.RestartServer();

        _world.Advance(TimeSpan.FromSeconds(21));

        Assert.True(peer.Client.IsRegistered);
        Assert.Equal(1, _world.Server.Statistics.Registrations);
    }

    [Fact]
    public void A_silent_server_is_reported_once_and_tried_for_ever()
    {
        _world.Copies = _ => 0;
        RendezvousWorld.Peer peer = _world.AddPeer("198.51.100.2:2000", isRegistering: true);

        _world.Advance(TimeSpan.FromMinutes(2));
        Assert.Single(peer.Events.OfType<ServerUnreachable>());
        Assert.InRange(_world.Sent.Count, 20, 40);

        _world.Copies = _ => 1;
        _world.Advance(TimeSpan.FromSeconds(6));
        Assert.True(peer.Client.IsRegistered);
    }

    [Fact]
    [Trait("Spec", "RDV-09")]
    public void A_peer_that_leaves_is_unknown_at_once()
    {
        RendezvousWorld.Peer peer = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        _world.Settle();

        peer.Client.Leave();
        _world.Settle();

        Assert.Equal(0, _world.Server.Statistics.Registrations);
        Assert.Equal(Instant.Never, peer.Client.NextTimeout);
    }

    [Fact]
    public void A_peer_that_vanishes_is_unknown_after_the_lifetime()
    {
        _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        _world.Settle();
        _world.Peers.Clear();

        _world.Advance(_world.Options.RegistrationLifetime + TimeSpan.FromSeconds(2));

        Assert.Equal(0, _world.Server.Statistics.Registrations);
        Assert.Equal(Instant.Never, _world.Server.NextTimeout);
    }

    [Fact]
    [Trait("Spec", "RDV-06")]
    public void Nobody_registers_under_a_key_that_it_does_not_hold()
    {
        using var victim = PrivateIdentity.Create(_world.Entropy);
        using var thief = PrivateIdentity.Create(_world.Entropy);
        NetworkAddress source = RendezvousWorld.Address("203.0.113.9:9");
        ChallengeMessage challenge = AskForChallenge(source);

        byte[] message = new byte[RendezvousHeader.RequestSize];
        new RegisterMessage(new TransactionId(1), challenge.Cookie, challenge.Key, victim.Public).Write(message);
        RegistrationKey.TryDerive(thief, challenge.Key, victim.Public, challenge.Key, out RegistrationKey key);
        key.Seal(message);

        Assert.Equal(Refusal.NotAuthentic, _world.SendToServer(source, message));
        Assert.Equal(0, _world.Server.Statistics.Registrations);
    }

    [Fact]
    [Trait("Spec", "RDV-04")]
    public void A_cookie_proves_one_address_only_and_not_for_long()
    {
        RendezvousWorld.Peer peer = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        _world.Settle();
        byte[] register = _world.Sent.Single(sent => sent.ToServer && sent.Datagram[1] == (byte)RendezvousMessageType.Register).Datagram;

        Assert.Equal(Refusal.CookieRequired, _world.SendToServer(RendezvousWorld.Address("203.0.113.9:9"), register));
        Assert.Equal(Refusal.None, _world.SendToServer(peer.Address, register));
        _world.Advance(2 * CookieSecret.Lifetime);
        Assert.Equal(Refusal.CookieRequired, _world.SendToServer(peer.Address, register));
    }

    [Fact]
    public void A_repeated_refresh_and_a_forged_one_are_refused()
    {
        RendezvousWorld.Peer peer = _world.AddPeer("198.51.100.2:2000", isRegistering: true);
        _world.Advance(TimeSpan.FromSeconds(21));
        byte[] refresh = _world.Sent.Last(sent => sent.ToServer).Datagram;

        Assert.Equal(Refusal.Replayed, _world.SendToServer(peer.Address, refresh));
        refresh[20]++;
        Assert.Equal(Refusal.NotAuthentic, _world.SendToServer(peer.Address, refresh));
    }

    [Fact]
    public void A_full_server_registers_nobody_new()
    {
        using var world = new RendezvousWorld(new RendezvousServerOptions { MaxRegistrations = 2 });
        RendezvousWorld.Peer[] peers = [.. Enumerable.Range(0, 3).Select(index => world.AddPeer($"198.51.100.{index + 1}:2000", isRegistering: true))];

        world.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(2, world.Server.Statistics.Registrations);
        Assert.Equal(2, peers.Count(peer => peer.Client.IsRegistered));
    }

    private ChallengeMessage AskForChallenge(NetworkAddress source)
    {
        byte[] buffer = new byte[RendezvousHeader.MaxSize];
        int length = new HelloMessage(new TransactionId(5)).Write(buffer);
        Assert.Equal(Refusal.None, _world.SendToServer(source, buffer.AsSpan(0, length)));
        Assert.True(_world.Server.TryPollTransmit(buffer, out _, out length));
        Assert.True(ChallengeMessage.TryParse(buffer.AsSpan(0, length), out ChallengeMessage challenge, out _));
        return challenge;
    }

    /// <summary>A peer whose server is far away, in steps of 10 ms.</summary>
    private sealed class FarServer(RendezvousWorld world, bool isRegistering, int delayMs = 100)
    {
        private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(10);
        private readonly TimeSpan _delay = TimeSpan.FromMilliseconds(delayMs);

        private readonly Queue<(Instant At, NetworkAddress From, byte[] Bytes)> _up = new();
        private readonly Queue<(Instant At, NetworkAddress To, byte[] Bytes)> _down = new();
        private readonly byte[] _buffer = new byte[2048];

        public RendezvousWorld.Peer Peer { get; } = world.AddPeer("198.51.100.2:2000", isRegistering);

        public int Requests { get; private set; }

        public void Run(TimeSpan time, Action? each = null)
        {
            for (Instant end = world.Now + time; world.Now < end;)
            {
                world.Now += s_step;
                each?.Invoke();
                Peer.Client.HandleTimeout(world.Now);
                for (; Peer.Client.TryPollTransmit(_buffer, out int length); Requests++)
                    _up.Enqueue((world.Now + _delay, Peer.Address, _buffer[..length]));
                while (_up.TryPeek(out (Instant At, NetworkAddress From, byte[] Bytes) request) && request.At <= world.Now)
                    world.SendToServer(request.From, _up.Dequeue().Bytes);
                while (world.Server.TryPollTransmit(_buffer, out NetworkAddress to, out int length))
                    _down.Enqueue((world.Now + _delay, to, _buffer[..length]));
                while (_down.TryPeek(out (Instant At, NetworkAddress To, byte[] Bytes) reply) && reply.At <= world.Now)
                    Deliver(_down.Dequeue());
                Peer.CollectEvents();
            }
        }

        private void Deliver((Instant At, NetworkAddress To, byte[] Bytes) reply)
        {
            if (reply.To == Peer.Address)
                Peer.Client.Handle(world.Now, reply.Bytes);
        }
    }
}
