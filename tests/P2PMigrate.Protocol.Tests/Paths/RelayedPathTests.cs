using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Paths;

/// <summary>Paths by TURN, the peer's and our own, beside direct ones and our relay.</summary>
public sealed class RelayedPathTests
{
    private static readonly NetworkAddress s_host = NetworkAddress.FromBytes([192, 0, 2, 1], 1000);
    private static readonly NetworkAddress s_lent = NetworkAddress.FromBytes([198, 51, 100, 9], 49_152);
    private static readonly LocalSocket s_socket = new(LocalInterface.Socket(0), ReachesIPv4: true, ReachesIPv6: false);
    private static readonly LocalSocket s_turn = new(LocalInterface.Turn(0), ReachesIPv4: true, ReachesIPv6: false);
    private static readonly PathAddress s_relay = new(LocalInterface.Relay(0), NetworkAddress.FromBytes([198, 51, 100, 1], 3478));

    private readonly EventQueue _events = new();
    private readonly PathAgent _agent;
    private Instant _now = new(1_000_000_000);

    public RelayedPathTests()
    {
        var options = new TunnelConnectionOptions
        {
            Role = ConnectionRole.Initiator,
            Keys = new KeySchedule(ProtectionSuite.ChaCha20Poly1305, new byte[32], new byte[32]),
            LocalConnectionId = new(1),
            RemoteConnectionId = new(2),
            Entropy = new SeededEntropy(1),
            Sockets = [s_socket],
        };
        _agent = new PathAgent(options, _events);
        _agent.AddKnownPath(_now, new KnownPath(s_relay, IsRemoteProven: true));
    }

    // spec: TURN-07, PATH-20
    [Fact]
    public void A_path_to_a_relayed_candidate_is_better_than_the_relay_and_worse_than_a_direct_one()
    {
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Relayed, s_lent));
        Validate(new(s_socket.Interface, s_lent), milliseconds: 90);
        Assert.Equal((s_lent, PathKind.Turn), (_agent.Primary!.Address.Remote, _agent.Primary.Kind));

        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, s_host));
        Validate(new(s_socket.Interface, s_host), milliseconds: 200);
        Assert.Equal((s_host, PathKind.Direct), (_agent.Primary!.Address.Remote, _agent.Primary.Kind));
    }

    // spec: TURN-07
    [Fact]
    public void An_address_that_turns_out_to_be_lent_is_judged_anew()
    {
        PathAddress early = new(s_socket.Interface, s_lent);
        _agent.HandleDatagrams(_now, early, 1200, isNewestData: false);
        Validate(early, milliseconds: 20);
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, s_host));
        Validate(new(s_socket.Interface, s_host), milliseconds: 50);
        Assert.Equal((s_lent, PathKind.Direct), (_agent.Primary!.Address.Remote, _agent.Primary.Kind));

        _agent.AddRemoteCandidate(_now, new(CandidateKind.Relayed, s_lent));

        Assert.Equal((s_host, PathKind.Direct), (_agent.Primary!.Address.Remote, _agent.Primary.Kind));
        Assert.Contains(Events(), news => news is PrimaryPathChanged { Path: { Kind: PathKind.Turn } });
    }

    // spec: TURN-01, PATH-02
    [Fact]
    public void A_socket_that_a_server_lends_later_makes_pairs_with_all_that_the_peer_has_announced()
    {
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, s_host));
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Relayed, s_lent));
        _agent.SetSockets(_now, [s_socket, s_turn]);

        Assert.Equal([s_host, s_lent], _agent.Pairs.Where(pair => pair.Address.Local == s_turn.Interface).Select(pair => pair.Address.Remote));
        Validate(new(s_turn.Interface, s_host), milliseconds: 30);
        Assert.Equal(PathKind.Turn, _agent.Primary!.Kind);
        _agent.SetSockets(_now, [s_socket]);
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, s_host.WithPort(1)));
        Assert.DoesNotContain(_agent.Pairs, pair => pair.Address == new PathAddress(s_turn.Interface, s_host.WithPort(1)));
    }

    // spec: TURN-05
    [Theory]
    [InlineData("198.51.100.9:49152", "10.0.0.1:1", false)]
    [InlineData("198.51.100.9:49152", "127.0.0.1:1", false)]
    [InlineData("198.51.100.9:49152", "203.0.113.7:1", true)]
    [InlineData("10.0.0.9:49152", "10.0.0.1:1", true)]
    [InlineData("10.0.0.9:49152", "169.254.169.254:80", false)]
    [InlineData("10.0.0.9:49152", "203.0.113.7:1", true)]
    public void From_a_lent_address_nobody_knocks_at_what_is_less_public(string lent, string candidate, bool isPaired)
    {
        Assert.True(NetworkAddress.TryParse(lent, out NetworkAddress from));
        Assert.True(NetworkAddress.TryParse(candidate, out NetworkAddress to));
        _agent.SetSockets(_now, [s_socket, s_turn with { Lent = from }]);
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, to));

        Assert.Contains(_agent.Pairs, pair => pair.Address == new PathAddress(s_socket.Interface, to));
        Assert.Equal(isPaired, _agent.Pairs.Any(pair => pair.Address == new PathAddress(s_turn.Interface, to)));
    }

    // spec: PATH-31, PATH-33
    [Fact]
    public void Data_does_not_follow_the_peer_from_a_direct_path_to_one_by_TURN()
    {
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Relayed, s_lent));
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, s_host));
        Validate(new(s_socket.Interface, s_lent), milliseconds: 20);
        Validate(new(s_socket.Interface, s_host), milliseconds: 20);
        Assert.Equal(s_host, _agent.Primary!.Address.Remote);

        for (int i = 0; i < 20; i++)
        {
            _now += TimeSpan.FromMilliseconds(5);
            _agent.HandleDatagrams(_now, new(s_socket.Interface, s_lent), 1200, isNewestData: true);
        }

        Assert.Equal(s_host, _agent.Primary!.Address.Remote);
        Assert.Contains(Probes(), probe => probe.Path.Remote == s_lent); // All are asked, for ours may be dead.
    }

    // spec: TURN-06
    [Fact]
    public void Datagrams_by_TURN_stay_so_short_that_no_server_divides_them()
    {
        _agent.SetSockets(_now, [s_socket, s_turn]);
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Relayed, s_lent));
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, s_host));
        foreach (PathAddress path in (PathAddress[])[new(s_socket.Interface, s_lent), new(s_turn.Interface, s_host)])
        {
            CandidatePair pair = _agent.Pairs.Single(pair => pair.Address == path);
            pair.Sizes.Restart(_now, 1200);
            while (pair.Sizes.TryNext(_now, TimeSpan.FromMilliseconds(10), out int size))
                pair.Sizes.HandleAnswered(_now, size);
            Assert.Equal(1464, pair.Sizes.Proven);
        }
    }

    // spec: TURN-07, PATH-77
    [Fact]
    public void On_a_path_by_TURN_a_direct_one_is_still_looked_for()
    {
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Relayed, s_lent));
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, s_host));
        Validate(new(s_socket.Interface, s_lent), milliseconds: 20);
        List<OutgoingProbe> late = [];
        for (Instant end = _now + TimeSpan.FromSeconds(70); _now < end; _now = Instant.Max(_now + TimeSpan.FromMilliseconds(1), Instant.Min(_agent.NextTimeout, end)))
        {
            foreach (OutgoingProbe probe in Probes())
            {
                if (probe.Path.Remote == s_host)
                    late.Add(probe);
                else if (!probe.IsResponse)
                    Answer(probe, 0);
            }
        }

        Assert.Equal(PathKind.Turn, _agent.Primary!.Kind);
        Assert.True(late.Count > 20, $"{late.Count} probes");
    }

    private void Validate(PathAddress path, int milliseconds)
    {
        for (int i = 0; i < 2; i++)
            Answer(Assert.Single(Probes(), probe => probe.Path == path && !probe.IsResponse), milliseconds);
    }

    private void Answer(OutgoingProbe probe, int milliseconds)
    {
        _now += TimeSpan.FromMilliseconds(milliseconds);
        _agent.HandleDatagrams(_now, probe.Path, 96, isNewestData: false);
        _agent.HandleResponse(_now, probe.Path, new(probe.Token, s_lent));
    }

    private List<OutgoingProbe> Probes()
    {
        List<OutgoingProbe> probes = [];
        while (_agent.TryPollProbe(_now, out OutgoingProbe probe))
            probes.Add(probe);
        return probes;
    }

    private List<TunnelEvent> Events()
    {
        List<TunnelEvent> events = [];
        while (_events.TryTake(out TunnelEvent? next))
            events.Add(next);
        return events;
    }
}
