using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Protocol.Paths;
using P2PMigrate.Protocol.Punching;
using P2PMigrate.Protocol.Wire;
using P2PMigrate.Simulation.Network;

namespace P2PMigrate.Simulation.Tests;

/// <summary>Two peers behind NATs that plain probes do not open, and what keeps punching from becoming a weapon.</summary>
public sealed class PunchScenarios
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private static readonly NatBehaviour s_restricted = new();
    private static readonly NatBehaviour s_random = new() { Mapping = NatMapping.AddressAndPortDependent, Allocation = PortAllocation.Random };
    private static readonly NatBehaviour s_sequence = new() { Mapping = NatMapping.AddressAndPortDependent, Allocation = PortAllocation.Sequential };

    // spec: PATH-71
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_NAT_with_a_random_port_for_each_destination_is_punched_through_from_many_sockets(bool isTheInitiators)
    {
        using NatWorld world = new(1, isTheInitiators ? new() { First = [s_random], Second = [s_restricted] } : new() { First = [s_restricted], Second = [s_random] });
        Assert.True(world.RunUntil(() => world.IsDirect, TimeSpan.FromSeconds(3)));
    }

    // spec: PATH-72
    [Fact]
    public void A_NAT_that_counts_its_ports_up_is_predicted_by_a_few_probes()
    {
        using NatWorld world = new(2, new() { First = [s_restricted], Second = [s_sequence] });
        int probes = 0;
        world.Tap = (from, transmit) => (probes += from == 0 ? 1 : 0) > 0;
        Assert.True(world.RunUntil(() => world.IsDirect, TimeSpan.FromSeconds(1)));
        Assert.InRange(probes, 1, 200);
        Assert.Equal(1, world.Hosts[1].Sockets);
    }

    // spec: PATH-73
    [Fact]
    public void Two_NATs_that_count_are_walked_through_again_when_the_probes_that_would_have_met_are_lost()
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            using NatWorld world = new(seed, new() { First = [s_sequence], Second = [s_sequence] });
            HashSet<NetworkAddress> targets = [];
            world.Tap = (from, transmit) => from != 0 || !targets.Add(transmit.Path.Remote) || targets.Count is < 9 or > 16;
            Assert.True(world.RunUntil(() => world.IsDirect, TimeSpan.FromSeconds(2)), $"seed {seed}");
        }
    }

    // spec: PATH-73
    [Fact]
    public void Two_blocks_of_a_thousand_ports_are_punched_through_by_the_second_attempt_at_the_latest()
    {
        NatBehaviour block = new() { Mapping = NatMapping.AddressAndPortDependent, Allocation = PortAllocation.Block };
        for (ulong seed = 0; seed < 150; seed++)
        {
            using NatWorld world = new(seed, new() { First = [block], Second = [block] });
            Assert.True(world.RunUntil(() => world.IsDirect, TimeSpan.FromSeconds(5.2)), $"seed {seed}");
        }
    }

    // spec: PATH-76
    [Fact]
    public void The_sockets_that_did_not_win_are_closed_and_those_of_both_directions_stay()
    {
        using NatWorld world = new(3, new() { First = [s_restricted], Second = [s_random] });
        Assert.True(world.RunUntil(() => world.Hosts[1].Sockets > 200, TimeSpan.FromSeconds(3)));
        Assert.True(world.RunUntil(() => world.IsDirect, TimeSpan.FromSeconds(3)));
        Assert.InRange(world.Hosts[1].Sockets, 2, 1 + PairTable.MaxPairs);
        world.RunFor(TimeSpan.FromSeconds(30));
        Assert.True(world.IsDirect);
        Assert.InRange(world.Hosts[1].Sockets, 2, 3);
    }

    // spec: PATH-73
    [Fact]
    public void Two_NATs_with_random_ports_for_each_destination_are_left_to_the_relay_without_an_attempt()
    {
        using NatWorld world = new(4, new() { First = [s_random], Second = [s_random] });
        int probes = 0;
        world.Tap = (_, _) => ++probes > 0;
        world.RunFor(s_minute);
        Assert.True(world.IsConnected);
        Assert.InRange(probes, 1, 300);
        Assert.All(world.Hosts, host => Assert.Equal(1, host.Sockets));
    }

    // spec: PATH-77
    [Fact]
    public void A_route_that_opens_later_is_found_after_5_15_30_or_60_seconds()
    {
        foreach (int opens in new[] { 4, 14, 29, 59 })
        {
            using NatWorld world = new(5, new() { First = [s_restricted], Second = [s_restricted] });
            bool isOpen = false;
            world.Tap = (_, _) => isOpen;
            world.At(TimeSpan.FromSeconds(opens), () => isOpen = true);
            world.RunFor(TimeSpan.FromSeconds(opens));
            Assert.True(world.RunUntil(() => world.IsDirect, TimeSpan.FromSeconds(1.3)), $"opened after {opens} s");
        }
    }

    // spec: PATH-78
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Routers_that_take_in_what_comes_unasked_are_passed_at_once(bool isFirst, bool isSecond)
    {
        for (int delay = 1; delay <= 60; delay += 7)
        {
            using NatWorld world = new((ulong)delay, new()
            {
                First = [s_restricted with { IsLeaky = isFirst }], Second = [s_restricted with { IsLeaky = isSecond }], Delay = TimeSpan.FromMilliseconds(delay),
            });
            Assert.True(world.RunUntil(() => world.IsDirect, TimeSpan.FromSeconds(1)), $"{delay} ms");
        }
    }

    // spec: PATH-78
    [Theory]
    [InlineData(15)]
    [InlineData(60)]
    [InlineData(200)]
    [InlineData(600)]
    public void Routers_that_take_in_what_comes_unasked_are_passed_by_neighbours_whose_server_is_far(int relayDelay)
    {
        using NatWorld world = new(1, new()
        {
            First = [s_restricted with { IsLeaky = true }], Second = [s_restricted with { IsLeaky = true }],
            Delay = TimeSpan.FromMilliseconds(1), Hops = 1, RelayDelay = TimeSpan.FromMilliseconds(relayDelay),
        });
        Assert.True(world.RunUntil(() => world.IsDirect, TimeSpan.FromSeconds(1) + 2 * TimeSpan.FromMilliseconds(relayDelay)));
    }

    // spec: PATH-78
    [Fact]
    public void A_router_that_takes_in_what_comes_unasked_does_not_keep_another_ones_random_ports_from_being_found()
    {
        for (ulong seed = 0; seed < 10; seed++)
        {
            using NatWorld world = new(seed, new() { First = [s_restricted with { IsLeaky = true }], Second = [s_random] });
            Assert.True(world.RunUntil(() => world.IsDirect, TimeSpan.FromSeconds(3)), $"seed {seed}");
        }
    }

    // spec: PATH-82
    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    public void A_mapping_that_a_stray_packet_has_spoilt_is_replaced_by_that_of_another_socket(int victim, bool isOtherLeaky)
    {
        foreach (NatBehaviour nat in new[] { s_restricted with { IsLeaky = true }, s_restricted with { IsGrudging = true } })
        {
            NatBehaviour[] spoilt = [nat], other = [s_restricted with { IsLeaky = isOtherLeaky }];
            using NatWorld world = new(1, new() { First = victim == 0 ? spoilt : other, Second = victim == 0 ? other : spoilt, Delay = TimeSpan.FromMilliseconds(5) });
            world.SendUnasked(from: 1 - victim);
            if (victim == 1)
                world.RunFor(TimeSpan.FromMilliseconds(1));
            Assert.True(world.RunUntil(() => world.IsDirect, TimeSpan.FromSeconds(3)), $"{nat}");
            Assert.InRange(world.FreshSockets, victim == 0 ? 1 : 0, 2);
            world.RunFor(s_minute);
            Assert.True(world.IsDirect);
            Assert.All(world.Hosts, host => Assert.InRange(host.Sockets, 1, 2));
        }
    }

    // spec: PATH-82
    [Fact]
    public void Another_socket_is_tried_once_for_each_attempt_and_not_kept()
    {
        using NatWorld world = new(1, new() { First = [s_restricted], Second = [s_restricted] });
        world.Tap = (_, _) => false;
        world.RunFor(TimeSpan.FromMinutes(5));
        Assert.Equal(2 * 5, world.FreshSockets);
        Assert.All(world.Hosts, host => Assert.InRange(host.Sockets, 1, 2));
    }

    // spec: PATH-82
    [Fact]
    public void Whoever_does_not_want_to_punch_opens_no_other_socket()
    {
        using NatWorld world = new(1, new() { First = [s_restricted], Second = [s_restricted], IsPunching = false });
        world.Tap = (_, _) => false;
        world.RunFor(s_minute);
        Assert.Equal(0, world.FreshSockets);
    }

    // spec: PATH-74
    [Fact]
    public void An_address_that_no_server_has_seen_is_never_punched()
    {
        using NatWorld world = new(6, new() { First = [s_restricted], Second = [s_random], IsVouched = false });
        HashSet<NetworkAddress> targets = [];
        int probes = 0;
        world.Tap = (from, transmit) =>
        {
            targets.Add(transmit.Path.Remote);
            return ++probes > 0;
        };
        world.RunFor(s_minute);
        Assert.Equal(PathKind.Relay, world.Initiator.PathKind);
        Assert.InRange(targets.Count, 1, 4);
        Assert.InRange(probes, 1, 300);
    }

    // spec: PATH-74
    [Fact]
    public void A_peer_that_names_another_host_as_its_newest_address_has_only_its_own_punched()
    {
        NetworkAddress victim = Internet.Address("203.0.113.77:5000");
        NatProfile claim = new()
        {
            Mapping = NatMapping.AddressAndPortDependent, Filtering = NatFiltering.AddressAndPortDependent, Allocation = PortAllocation.Sequential, Step = 1, Newest = victim,
        };
        using NatWorld world = new(7, new() { First = [s_restricted], Second = [s_restricted], Claim = claim });
        HashSet<NetworkAddress> hosts = [];
        world.Tap = (_, transmit) =>
        {
            hosts.Add(transmit.Path.Remote.WithPort(0));
            return false;
        };
        world.RunFor(s_minute);
        Assert.DoesNotContain(victim.WithPort(0), hosts);
        Assert.InRange(hosts.Count, 1, 4);
    }

    // spec: PATH-75
    [Fact]
    public void A_host_gets_three_attempts_of_2048_probes_at_1000_a_second_in_ten_minutes_and_no_more()
    {
        using NatWorld world = new(8, new() { First = [s_restricted], Second = [s_random] });
        List<Instant> times = [];
        world.Tap = (from, transmit) =>
        {
            bool isAnnounced = transmit.Path.Remote == world.Hosts[1].Own[0] || transmit.Path.Remote == world.Hosts[1].Reflexive;
            if (from == 0 && !isAnnounced)
                times.Add(world.Now);
            return false;
        };
        for (int i = 0; i < 19; i++)
        {
            world.RunFor(TimeSpan.FromSeconds(30));
            world.Initiator.Connection.HandleNetworkChange(world.Now, [new(Internet.Socket, ReachesIPv4: true, ReachesIPv6: false)]);
            world.Act();
        }

        Assert.InRange(times.Count, 3 * PunchAttempt.MaxProbes - 3, 3 * PunchAttempt.MaxProbes);
        Assert.All(times.GroupBy(time => time.Nanoseconds / 1_000_000_000), second => Assert.InRange(second.Count(), 1, 1000));
    }

    // spec: PATH-75
    [Fact]
    public void What_the_budget_refuses_is_tried_when_it_allows()
    {
        using NatWorld world = new(9, new() { First = [s_restricted], Second = [s_random] });
        bool isCut = true;
        world.Tap = (_, transmit) => !isCut || transmit.Path.Kind == PathKind.Relay;
        world.RunFor(TimeSpan.FromMinutes(9));
        Assert.Equal(PathKind.Relay, world.Initiator.PathKind);
        isCut = false;
        world.RunFor(TimeSpan.FromMinutes(3));
        Assert.Equal(PathKind.Direct, world.Initiator.PathKind);
    }

    // spec: PATH-75
    [Fact]
    public void All_sessions_of_an_endpoint_share_three_attempts_towards_a_host_and_2000_probes_a_second()
    {
        PunchBudget budget = new();
        Instant now = new(1_000_000_000);
        NetworkAddress host = Internet.Address("192.0.2.1:1");
        Assert.Equal(PunchBudget.AttemptsPerHost, Enumerable.Range(1, 100).Count(port => budget.TryBegin(now, host.WithPort((ushort)port), out _)));
        Assert.True(budget.TryBegin(now, Internet.Address("192.0.2.2:1"), out _));
        Assert.False(budget.TryBegin(now + PunchBudget.Window - TimeSpan.FromSeconds(1), host, out Instant later));
        Assert.Equal(now + PunchBudget.Window, later);
        Assert.True(budget.TryBegin(later, host, out _));
        int taken = 0;
        for (int millisecond = 0; millisecond < 10_000; millisecond++)
        {
            for (int i = 0; i < 20; i++)
                taken += budget.TryTake(now + TimeSpan.FromMilliseconds(millisecond)) ? 1 : 0;
        }

        Assert.InRange(taken, 19_000, 20_300);
    }

    // spec: PATH-75
    [Fact]
    public void An_endpoint_that_does_not_want_to_punch_does_not()
    {
        using NatWorld world = new(9, new() { First = [s_restricted], Second = [s_random], IsPunching = false });
        int probes = 0;
        world.Tap = (_, _) => ++probes > 0;
        world.RunFor(s_minute);
        Assert.Equal(PathKind.Relay, world.Initiator.PathKind);
        Assert.InRange(probes, 1, 300);
    }

    // spec: PATH-75
    [Fact]
    public void Attempts_that_hit_soon_leave_room_for_many_sessions_with_one_host()
    {
        PunchBudget budget = new();
        Instant now = new(1_000_000_000);
        NetworkAddress host = Internet.Address("192.0.2.1:1");
        int begun = 0;
        for (; begun < 100 && budget.TryBegin(now, host, out _); begun++)
            budget.HandleEnded(host, probes: 300);
        Assert.Equal(1 + 2 * PunchAttempt.MaxProbes / 300, begun);
    }
}
