using P2PMigrate.Protocol.Connection;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Protection;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Tests.Paths;

/// <summary>The agent by itself: time is a variable, probes are values.</summary>
public sealed class PathAgentTests
{
    private static readonly NetworkAddress s_host = NetworkAddress.FromBytes([192, 0, 2, 1], 1000);
    private static readonly NetworkAddress s_other = NetworkAddress.FromBytes([192, 0, 2, 2], 2000);
    private static readonly LocalInterface s_socket = LocalInterface.Socket(0);
    private static readonly PathAddress s_relay = new(LocalInterface.Relay(0), NetworkAddress.FromBytes([198, 51, 100, 1], 3478));

    private readonly EventQueue _events = new();
    private readonly PathAgent _agent;
    private Instant _now = new(1_000_000_000);

    public PathAgentTests() => _agent = new(
        new TunnelConnectionOptions
        {
            Role = ConnectionRole.Initiator,
            Keys = new KeySchedule(ProtectionSuite.ChaCha20Poly1305, new byte[32], new byte[32]),
            LocalConnectionId = new(1),
            RemoteConnectionId = new(2),
            Entropy = new SeededEntropy(1),
            Sockets = [new(s_socket, ReachesIPv4: true, ReachesIPv6: false)],
        },
        _events);

    // spec: PATH-01
    [Fact]
    public void A_pair_is_probed_at_doubling_moments()
    {
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, s_host));
        List<double> moments = [];
        for (Instant start = _now; moments.Count < 10;)
        {
            moments.AddRange(Probes().Select(_ => (_now - start).TotalMilliseconds));
            _now = _agent.NextTimeout;
        }

        Assert.Equal([0, 10, 20, 40, 80, 160, 320, 640, 1280, 2560], moments);
    }

    // spec: PATH-85
    [Fact]
    public void Of_the_probes_that_are_due_together_the_direct_ones_leave_first()
    {
        _agent.AddKnownPath(_now, new KnownPath(s_relay, IsRemoteProven: true));
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, s_host));
        _agent.AddVouchedCandidate(_now, s_other);
        Assert.Equal([PathKind.Direct, PathKind.Direct, PathKind.Relay], Probes().Select(probe => probe.Path.Kind));
    }

    // spec: PATH-02
    [Fact]
    public void Addresses_that_cannot_be_reached_make_no_pair()
    {
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, NetworkAddress.FromBytes([224, 0, 0, 1], 5)));
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, NetworkAddress.FromBytes([0x20, 1, .. new byte[13], 1], 5)));
        Assert.Empty(_agent.Pairs);
    }

    // spec: PATH-07, PATH-11
    [Fact]
    public void A_pair_is_a_path_after_a_small_and_a_full_probe()
    {
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, s_host));
        OutgoingProbe small = Assert.Single(Probes());
        Assert.Equal(ProbeTimetable.SmallDatagram, small.DatagramSize);
        Answer(small, 20);
        OutgoingProbe full = Assert.Single(Probes());
        Assert.Equal(1200, full.DatagramSize);
        Assert.Null(_agent.Primary);
        Answer(full, 20);
        Assert.Equal(s_host, _agent.Primary!.Address.Remote);
        Assert.Equal(TimeSpan.FromMilliseconds(20), _agent.Primary.RoundTrip.Smoothed);
        Assert.IsType<AddressObserved>(NextEvent());
        Assert.IsType<PrimaryPathChanged>(NextEvent());
    }

    // spec: PATH-03
    [Fact]
    public void A_probe_is_answered_to_where_it_came_from_with_that_address()
    {
        PathAddress from = new(s_socket, s_other);
        _agent.HandleDatagrams(_now, from, 96, isNewestData: false);
        _agent.HandleChallenge(_now, from, new(77));
        Assert.Contains(new OutgoingProbe(from, 77, IsResponse: true, s_other, ProbeTimetable.SmallDatagram), Probes());
    }

    // spec: PATH-06
    [Fact]
    public void A_probe_that_arrives_makes_its_pair_be_probed_at_once()
    {
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, s_host));
        for (int i = 0; i < 9; i++)
        {
            Probes();
            _now = _agent.NextTimeout;
        }

        Probes();
        _agent.HandleChallenge(_now, new(s_socket, s_host), new(1));
        _now += ProbeTimetable.Step;
        Assert.Contains(Probes(), probe => !probe.IsResponse);
    }

    // spec: PATH-21
    [Fact]
    public void A_path_of_the_same_kind_has_to_be_faster_by_more_than_the_hysteresis()
    {
        Validate(s_host, 20);
        Validate(s_other, 16);
        Assert.Equal(s_host, _agent.Primary!.Address.Remote);
        Validate(NetworkAddress.FromBytes([192, 0, 2, 3], 1), 14);
        Assert.Equal(14, _agent.Primary.RoundTrip.Smoothed.TotalMilliseconds);
    }

    // spec: PATH-20, PATH-21
    [Fact]
    public void A_slow_direct_path_is_better_than_a_fast_relay()
    {
        _agent.AddKnownPath(_now, new(s_relay, IsRemoteProven: true));
        Answer(Assert.Single(Probes()), 5);
        Assert.Equal(PathKind.Relay, _agent.Primary!.Address.Kind);
        Validate(s_host, 300);
        Assert.Equal(PathKind.Direct, _agent.Primary.Address.Kind);
    }

    // spec: PATH-22, PATH-23
    [Fact]
    public void A_silent_primary_gives_way_only_to_a_path_that_answers_meanwhile()
    {
        _agent.AddKnownPath(_now, new(s_relay, IsRemoteProven: true));
        Answer(Assert.Single(Probes()), 20);
        Validate(s_host, 20);
        _agent.HandleSilence(_now, 1);
        _agent.HandleSilence(_now, 2);
        Assert.True(_agent.Primary!.Check.IsOpen);

        Silence(TimeSpan.FromSeconds(3));
        Assert.Equal(PathKind.Direct, _agent.Primary.Address.Kind);
        for (int i = 0; i < 100 && _agent.Primary.Address.Kind == PathKind.Direct; i++)
        {
            foreach (OutgoingProbe probe in Probes().Where(probe => probe.Path == s_relay))
                Answer(probe, 20);
            _now = Instant.Max(_now, _agent.NextTimeout);
        }

        Assert.Equal(PathKind.Relay, _agent.Primary.Address.Kind);
        Assert.Equal(PairState.Probing, _agent.Pairs.Single(pair => pair.Address.Remote == s_host).State);
    }

    // spec: PATH-30, PATH-31
    [Fact]
    public void Data_moves_with_the_peer_only_after_the_new_address_is_validated_and_the_old_one_silent()
    {
        Validate(s_host, 20);
        PathAddress moved = new(s_socket, s_other);
        _agent.HandleDatagrams(_now, moved, 1200, isNewestData: true);
        Assert.Equal(s_host, _agent.Primary!.Address.Remote);
        foreach (OutgoingProbe probe in Probes().Where(probe => probe.Path == moved))
            Answer(probe, 10);
        foreach (OutgoingProbe probe in Probes().Where(probe => probe.Path == moved))
            Answer(probe, 10);
        _agent.HandleDatagrams(_now, moved, 1200, isNewestData: true);
        Assert.Equal(moved, _agent.Primary.Address);
    }

    // spec: PATH-08, PATH-35
    [Fact]
    public void Data_follows_to_another_port_at_once_and_the_port_is_probed()
    {
        Validate(s_host, 20);
        PathAddress moved = new(s_socket, s_host.WithPort(1001));
        _agent.HandleDatagrams(_now, moved, 1200, isNewestData: true);
        Assert.Equal(moved, _agent.Primary!.Address);
        Assert.True(_agent.Primary.Allows(3600));
        Assert.False(_agent.Primary.Allows(3601));
        Answer(Probes().First(probe => probe.Path == moved), 20);
        Assert.True(_agent.Primary.IsUsable);
        Assert.True(_agent.Primary.Allows(int.MaxValue));
        Assert.Equal(moved, _agent.Primary.Address);
    }

    // spec: PATH-35
    [Fact]
    public void Data_moves_back_when_the_port_that_the_peer_seemed_to_leave_answers_first()
    {
        Validate(s_host, 20);
        PathAddress moved = new(s_socket, s_host.WithPort(1001));
        _agent.HandleDatagrams(_now, moved, 1200, isNewestData: true);
        Answer(Probes().First(probe => probe.Path.Remote == s_host), 20);
        Assert.Equal(s_host, _agent.Primary!.Address.Remote);
        _agent.HandleDatagrams(_now, new(s_socket, s_host.WithPort(1002)), 1200, isNewestData: true);
        Assert.Equal(s_host, _agent.Primary.Address.Remote);
    }

    // spec: PATH-35
    [Theory]
    [InlineData("the port that was left answers first")]
    [InlineData("a relay answers meanwhile")]
    [InlineData("nothing answers meanwhile")]
    public void Somebody_who_sends_packets_on_from_false_ports_leads_data_there_half_as_often_each_time(string answer)
    {
        Validate(s_host, 20);
        if (answer == "a relay answers meanwhile")
            _agent.AddKnownPath(_now, new(s_relay, IsRemoteProven: true));
        int moves = Mislead(TimeSpan.FromMinutes(5), probe => probe.Path == s_relay
            || (probe.Path.Remote == s_host && (answer == "the port that was left answers first" || !IsFalse(_agent.Primary!.Address))));
        Assert.InRange(moves, 5, 9); // After 0, 2, 6, 14, 30, 62, 126, 190 and 254 s at the earliest.
    }

    // spec: PATH-35
    [Fact]
    public void Data_follows_as_soon_as_ever_once_a_port_was_what_it_seemed_to_be()
    {
        Validate(s_host, 20);
        Assert.InRange(Mislead(TimeSpan.FromSeconds(20), probe => probe.Path.Remote == s_host), 3, 4);
        _now += TimeSpan.FromSeconds(64);
        PathAddress first = new(s_socket, s_host.WithPort(1001)), second = new(s_socket, s_host.WithPort(1002));
        _agent.HandleDatagrams(_now, first, 1200, isNewestData: true);
        Answer(Probes().First(probe => probe.Path == first), 20);
        Assert.True(_agent.Primary!.IsUsable);
        _now += PeerTrail.UntestedInterval;
        _agent.HandleDatagrams(_now, second, 1200, isNewestData: true);
        Assert.Equal(second, _agent.Primary.Address);
    }

    // spec: PATH-35
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Data_that_goes_back_to_a_silent_port_takes_it_for_a_path_only_if_packets_came_from_there(bool isHeard)
    {
        Validate(s_host, 20);
        PathAddress moved = new(s_socket, s_host.WithPort(1001));
        _agent.HandleDatagrams(_now, moved, 1200, isNewestData: true);
        _now += TimeSpan.FromMilliseconds(5);
        if (isHeard)
            _agent.HandleDatagrams(_now, new(s_socket, s_host), 1200, isNewestData: false);
        OutgoingProbe toLeft = default;
        for (int i = 0; i < 100 && _agent.Primary!.Address == moved; i++)
        {
            _now = Instant.Max(_now, _agent.NextTimeout);
            toLeft = Probes().LastOrDefault(probe => probe.Path.Remote == s_host);
        }

        Assert.Equal(s_host, _agent.Primary!.Address.Remote);
        Assert.Equal(isHeard, _agent.Primary.IsUsable);
        Answer(toLeft, 20); // It was probed at once.
        Assert.True(_agent.Primary.IsUsable);
    }

    // spec: PATH-31
    [Fact]
    public void A_port_that_never_answered_is_left_as_one_that_never_answered()
    {
        Validate(s_host, 20);
        PathAddress second = new(s_socket, s_host.WithPort(1001)), third = new(s_socket, s_host.WithPort(1002));
        _agent.HandleDatagrams(_now, second, 1200, isNewestData: true);
        _agent.HandleDatagrams(_now, third, 1200, isNewestData: true);
        Assert.Equal(second, _agent.Primary!.Address);
        Answer(Probes().First(probe => probe.Path == third), 20);
        Assert.Equal(third, _agent.Primary.Address);
        Assert.Equal(PairState.Probing, _agent.Pairs.Single(pair => pair.Address == second).State);
    }

    // spec: PATH-05, PATH-35
    [Fact]
    public void Data_does_not_follow_to_a_pair_that_gave_way_to_others()
    {
        Validate(s_host, 20);
        PathAddress second = new(s_socket, s_host.WithPort(1001));
        _agent.HandleDatagrams(_now, second, 1200, isNewestData: true);
        Answer(Probes().First(probe => probe.Path.Remote == s_host), 20); // Data is back, and does not follow for a while.
        _agent.HandleDatagrams(_now, new(s_socket, s_host.WithPort(1002)), 1200, isNewestData: true);
        for (int port = 0; port < 2 * PairTable.MaxPairs; port++)
            _agent.HandleDatagrams(_now, new(s_socket, s_other.WithPort((ushort)(3000 + port))), 96, isNewestData: false);
        _now += 2 * PeerTrail.UntestedInterval;
        Answer(Probes().First(probe => probe.Path.Remote == s_host), 20);
        Assert.Equal(s_host, _agent.Primary!.Address.Remote);
    }

    // spec: PATH-20
    [Fact]
    public void No_path_is_worth_moving_to_from_each_other_both_ways()
    {
        PathScore[] scores = [.. from kind in Enum.GetValues<PathKind>() from ms in new[] { 1, 3, 7, 20, 500 } select new PathScore(kind, TimeSpan.FromMilliseconds(ms))];
        foreach (PathScore left in scores)
        {
            foreach (PathScore right in scores)
                Assert.False(left.IsWorthMovingFrom(right, TimeSpan.Zero) && right.IsWorthMovingFrom(left, TimeSpan.Zero));
        }
    }

    private static bool IsFalse(PathAddress address) => address.Remote.Port >= 40_000;

    // Somebody sends the peer's data on from another false port every 100 ms; returns how often data went to one.
    private int Mislead(TimeSpan duration, Func<OutgoingProbe, bool> isAnswered)
    {
        int moves = 0, steps = 0;
        Queue<(Instant At, OutgoingProbe Probe)> answers = new();
        for (Instant end = _now + duration; _now < end; _now += ProbeTimetable.Step)
        {
            if (steps++ % 10 == 0)
                _agent.HandleDatagrams(_now, new(s_socket, s_host.WithPort((ushort)(40_000 + steps / 10))), 1200, isNewestData: true);
            while (answers.TryPeek(out (Instant At, OutgoingProbe Probe) next) && next.At <= _now)
                Answer(answers.Dequeue().Probe, 0);
            foreach (OutgoingProbe probe in Probes().Where(isAnswered))
                answers.Enqueue((_now + TimeSpan.FromMilliseconds(20), probe));
            while (_events.TryTake(out TunnelEvent? happened))
                moves += happened is PrimaryPathChanged { Path.Address: var to } && IsFalse(to) ? 1 : 0;
        }

        return moves;
    }

    private void Validate(NetworkAddress remote, int milliseconds)
    {
        _agent.AddRemoteCandidate(_now, new(CandidateKind.Host, remote));
        for (int i = 0; i < 2; i++)
        {
            OutgoingProbe probe = Probes().Last(probe => probe.Path.Remote == remote && !probe.IsResponse);
            Answer(probe, milliseconds);
        }
    }

    private void Answer(OutgoingProbe probe, int milliseconds)
    {
        _now += TimeSpan.FromMilliseconds(milliseconds);
        _agent.HandleDatagrams(_now, probe.Path, 96, isNewestData: false);
        _agent.HandleResponse(_now, probe.Path, new(probe.Token, s_other));
    }

    private void Silence(TimeSpan duration)
    {
        for (Instant end = _now + duration; _now < end; _now = Instant.Max(_now, Instant.Min(_agent.NextTimeout, end)))
            Probes();
    }

    private List<OutgoingProbe> Probes()
    {
        List<OutgoingProbe> probes = [];
        while (_agent.TryPollProbe(_now, out OutgoingProbe probe))
            probes.Add(probe);
        return probes;
    }

    private TunnelEvent NextEvent()
    {
        Assert.True(_events.TryTake(out TunnelEvent? next));
        return next;
    }
}
