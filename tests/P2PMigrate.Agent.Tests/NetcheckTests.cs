using System.Reflection;
using System.Text.Json;
using P2PMigrate.Agent.Netcheck;
using P2PMigrate.Agent.Output;
using P2PMigrate.Lab;
using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Nat;
using NatFiltering = P2PMigrate.Protocol.Nat.NatFiltering;
using NatMapping = P2PMigrate.Protocol.Nat.NatMapping;

namespace P2PMigrate.Agent.Tests;

/// <summary>What <c>netcheck</c> says, behind the lab's NATs and on paper.</summary>
public sealed class NetcheckTests(ITestOutputHelper output)
{
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Behind_a_home_router_it_says_so()
    {
        (JsonElement last, string everything) = await CheckAsync(NatKind.PortRestricted, exitCode: 0);

        JsonElement v4 = last.GetProperty("ipv4");
        Assert.Equal("netchecked", last.GetProperty("event").GetString());
        Assert.Equal(
            ("endpoint-independent", "address-and-port-dependent", "preserving"),
            (v4.GetProperty("mapping").GetString(), v4.GetProperty("filtering").GetString(), v4.GetProperty("allocation").GetString()));
        Assert.True(last.GetProperty("udp").GetBoolean() && v4.GetProperty("nat").GetBoolean(), everything);
        Assert.StartsWith(LabAddresses.SourceNat.ToString(), v4.GetProperty("public").GetString(), StringComparison.Ordinal);
        Assert.Equal("direct", last.GetProperty("peers")[1].GetProperty("way").GetString());
    }

    [Fact]
    public async Task Behind_a_symmetric_NAT_it_says_so_and_what_would_help()
    {
        (JsonElement last, string everything) = await CheckAsync(NatKind.Symmetric, exitCode: 0);

        JsonElement v4 = last.GetProperty("ipv4");
        Assert.Equal(("address-and-port-dependent", "random"), (v4.GetProperty("mapping").GetString(), v4.GetProperty("allocation").GetString()));
        Assert.Contains("UPnP", everything, StringComparison.Ordinal);
        Assert.Equal("relay", last.GetProperty("peers")[4].GetProperty("way").GetString());
    }

    [Fact]
    public async Task Where_UDP_is_blocked_it_says_so_with_the_exit_code_of_an_unreachable_peer()
    {
        (JsonElement last, _) = await CheckAsync(NatKind.UdpBlocked, exitCode: 4);
        Assert.False(last.GetProperty("udp").GetBoolean());
        Assert.False(last.GetProperty("tls").GetBoolean());
    }

    [Fact]
    [Trait("Spec", "RLY-14")]
    public async Task Where_only_TLS_gets_through_it_says_that_sessions_work_and_how()
    {
        (JsonElement last, string everything) = await CheckAsync(NatKind.UdpBlocked, exitCode: 0, "--tls", "0.0.0.0:443");
        Assert.Equal((false, true), (last.GetProperty("udp").GetBoolean(), last.GetProperty("tls").GetBoolean()));
        Assert.All(last.GetProperty("peers").EnumerateArray(), peer => Assert.Equal("relay", peer.GetProperty("way").GetString()));
        Assert.Equal(5, last.GetProperty("peers").GetArrayLength());
        Assert.Contains("by TLS on port 443", everything, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_router_that_maps_ports_makes_peers_behind_any_NAT_direct()
    {
        (JsonElement last, string everything) = await CheckAsync(NatKind.Gateway, exitCode: 0);

        Assert.True(last.GetProperty("mapped").GetString()?.StartsWith(LabAddresses.SourceNat.ToString(), StringComparison.Ordinal) == true, everything);
        Assert.All(last.GetProperty("peers").EnumerateArray(), peer => Assert.Equal("direct", peer.GetProperty("way").GetString()));
    }

    // The plan is the protocol's own affair; only here somebody looks at it from outside, so that the forecast cannot tell a different tale.
    [Fact]
    [Trait("Spec", "PATH-70")]
    public void The_forecast_is_what_the_protocol_does()
    {
        MethodInfo plan = typeof(NatProfile).Assembly.GetType("P2PMigrate.Protocol.Punching.PunchPlan", throwOnError: true)!.GetMethod("Choose")!;
        NatProfile[] known = [.. Profiles().Where(nat => nat.Mapping != NatMapping.Unknown)];
        foreach (NatProfile one in known)
        {
            foreach (NatProfile other in known)
            {
                bool isPunched = plan.Invoke(null, [one, other, ConnectionRole.Initiator])!.ToString() != "None";
                // What is not punched is direct by probes alone as soon as one port is fixed, and cannot be otherwise.
                bool isOneFixed = one.Mapping == NatMapping.EndpointIndependent || other.Mapping == NatMapping.EndpointIndependent;
                Assert.Equal(isPunched ? "by guessing" : isOneFixed ? "direct" : "relay", PairForecast.WayBetween(one, other));
            }
        }
    }

    [Fact]
    public void The_kinds_of_peers_have_the_ways_that_their_ports_allow()
    {
        NatProfile random = Varying(PortAllocation.Random);
        Assert.Equal(["direct", "direct", "by guessing", "by guessing", "by guessing"], Ways(s_strict));
        Assert.Equal(["direct", "direct", "direct", "direct", "direct"], Ways(s_strict with { Filtering = NatFiltering.AddressDependent }));
        Assert.Equal(["direct", "by guessing", "by guessing", "by guessing", "relay"], Ways(Varying(PortAllocation.Sequential)));
        Assert.Equal(["direct", "by guessing", "by guessing", "by guessing", "relay"], Ways(Varying(PortAllocation.Block)));
        Assert.Equal(["direct", "by guessing", "relay", "relay", "relay"], Ways(Varying(PortAllocation.Preserving)));
        Assert.Equal(["direct", "by guessing", "relay", "relay", "relay"], Ways(random));
        Assert.Equal(["direct", "direct", "direct", "direct", "direct"], PairForecast.For(random, isMapped: true).Select(peer => peer.Way));
        Assert.Empty(PairForecast.For(default, isMapped: false));
        Assert.All(PairForecast.WithoutUdp, peer => Assert.Equal("relay", peer.Way));
    }

    [Fact]
    public void A_report_in_words_names_the_step_the_block_and_a_remedy()
    {
        var report = new NatReport
        {
            Observed = P2PMigrate.Protocol.Wire.NetworkAddress.FromBytes([203, 0, 113, 7], 4000),
            Profile = new NatProfile { Mapping = NatMapping.AddressAndPortDependent, Filtering = NatFiltering.AddressDependent, Allocation = PortAllocation.Block, LowestPort = 1024, HighestPort = 2047 },
        };
        FindingMade[] findings = [.. NatWords.Findings("IPv4", report, isNat: true, serverPort: 3478)];
        Assert.Contains(findings, finding => finding.Message.Contains("1024 to 2047", StringComparison.Ordinal));
        Assert.Contains(findings, finding => finding is { Severity: "warning", Remedy: not null });
        Assert.Equal("1024-2047", NatWords.Of(report, isNat: true).Ports);
        Assert.Contains("\"event\":\"netchecked\"", JsonOutput.Format(new NetcheckCompleted(true, false, NatWords.Of(report, true), null, null, PairForecast.For(report.Profile, isMapped: false))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_of_which_only_one_port_answers_may_have_another_behind_a_firewall()
    {
        var report = new NatReport { Observed = P2PMigrate.Protocol.Wire.NetworkAddress.FromBytes([203, 0, 113, 7], 4000) };
        Assert.Contains(NatWords.Findings("IPv4", report, isNat: true, serverPort: 5000), finding => finding.Message.Contains("firewall closes port 5001", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("open", "endpoint-independent", "endpoint-independent", "preserving")]
    [InlineData("full-cone", "endpoint-independent", "endpoint-independent", "preserving")]
    [InlineData("address-restricted", "endpoint-independent", "address-dependent", "preserving")]
    [InlineData("leaky", "endpoint-independent", "address-and-port-dependent", "preserving")]
    [InlineData("double", "endpoint-independent", "address-and-port-dependent", "preserving")]
    [InlineData("symmetric-block", "address-and-port-dependent", "address-and-port-dependent", "block")]
    public async Task Every_kind_of_the_lab_is_recognised(string kind, string mapping, string filtering, string allocation)
    {
        (JsonElement last, string everything) = await CheckAsync(NatKind.Parse(kind), exitCode: 0);

        JsonElement v4 = last.GetProperty("ipv4");
        Assert.True(
            (mapping, filtering, allocation) == (v4.GetProperty("mapping").GetString(), v4.GetProperty("filtering").GetString(), v4.GetProperty("allocation").GetString()),
            everything);
    }

    // spec: PATH-83
    [Fact]
    public async Task How_long_a_router_keeps_an_idle_mapping_is_measured_when_asked_for()
    {
        (JsonElement last, string everything) = await CheckAsync(NatKind.PortRestricted, exitCode: 0, prepare: lab =>
        {
            lab.SourceNat.SetNetworkSetting("net/netfilter/nf_conntrack_udp_timeout", "13");
            lab.SourceNat.SetNetworkSetting("net/netfilter/nf_conntrack_udp_timeout_stream", "13");
        }, netcheckOptions: ["--lifetime"]);

        JsonElement v4 = last.GetProperty("ipv4");
        Assert.True((9, 18) == (v4.GetProperty("idleKeptS").GetInt32(), v4.GetProperty("idleLostS").GetInt32()), everything);
    }

    [Fact]
    public async Task Whoever_does_not_ask_how_long_mappings_are_kept_is_told_how_to()
    {
        (JsonElement last, string everything) = await CheckAsync(NatKind.PortRestricted, exitCode: 0);
        Assert.False(last.GetProperty("ipv4").TryGetProperty("idleKeptS", out _));
        Assert.Contains("--lifetime", everything, StringComparison.Ordinal);
    }

    private static readonly NatProfile s_strict = new() { Mapping = NatMapping.EndpointIndependent, Filtering = NatFiltering.AddressAndPortDependent };

    private static NatProfile Varying(PortAllocation allocation) => s_strict with { Mapping = NatMapping.AddressAndPortDependent, Allocation = allocation };

    private static IEnumerable<NatProfile> Profiles() =>
        from mapping in Enum.GetValues<NatMapping>()
        from filtering in Enum.GetValues<NatFiltering>()
        from allocation in Enum.GetValues<PortAllocation>()
        select new NatProfile { Mapping = mapping, Filtering = filtering, Allocation = allocation };

    private static IEnumerable<string> Ways(NatProfile own) => PairForecast.For(own, isMapped: false).Select(peer => peer.Way);

    // The program as it was built with these tests: only the network of the lab's nodes is another one.
    private Task<(JsonElement Last, string Everything)> CheckAsync(NatKind kind, int exitCode, params string[] serverOptions) =>
        CheckAsync(kind, exitCode, _ => { }, [], serverOptions);

    private async Task<(JsonElement Last, string Everything)> CheckAsync(
        NatKind kind, int exitCode, Action<PeerLab> prepare, string[] netcheckOptions, params string[] serverOptions)
    {
        Assert.SkipUnless(LabGround.IsFit, LabGround.WhyNot ?? "");
        string program = Path.Combine(AppContext.BaseDirectory, "p2pmigrate"), state = Directory.CreateTempSubdirectory("p2pmigrate-netcheck-").FullName;
        try
        {
            await using PeerLab lab = await PeerLab.RaiseAsync(new LabOptions { SourceNat = kind }, _token);
            prepare(lab);
            await using LabProcess server = await lab.Rendezvous.StartAsync(
                program, ["rendezvous", "--json", "--alternate", LabAddresses.RendezvousAlternate.ToString(), "--state-dir", Path.Combine(state, "server"), .. serverOptions], _token);
            await server.Output.WaitForAsync(line => line.Contains("listening", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
            CommandResult result = await lab.Source.RunAsync(
                program, ["netcheck", "--rendezvous", $"{LabAddresses.Rendezvous}:3478", "--json", "--state-dir", Path.Combine(state, "client"), .. netcheckOptions], _token);
            output.WriteLine(result.Output);
            Assert.True(result.ExitCode == exitCode, result.ToString() + result.Output);
            return (JsonDocument.Parse(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]).RootElement, result.Output);
        }
        finally
        {
            Directory.Delete(state, recursive: true);
        }
    }
}
