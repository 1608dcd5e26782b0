using System.Text.Json;
using P2PMigrate.Agent.Netcheck;
using P2PMigrate.Agent.Output;
using P2PMigrate.Lab;
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
    }

    [Fact]
    public async Task A_router_that_maps_ports_makes_peers_behind_any_NAT_direct()
    {
        (JsonElement last, string everything) = await CheckAsync(NatKind.Gateway, exitCode: 0);

        Assert.True(last.GetProperty("mapped").GetString()?.StartsWith(LabAddresses.SourceNat.ToString(), StringComparison.Ordinal) == true, everything);
        Assert.All(last.GetProperty("peers").EnumerateArray(), peer => Assert.Equal("direct", peer.GetProperty("way").GetString()));
    }

    [Fact]
    public void Every_pair_has_a_way_and_it_is_the_same_from_both_sides()
    {
        NatClass[] classes = [NatClass.Open, NatClass.Cone, NatClass.Sequential, NatClass.Block, NatClass.Random];
        foreach (NatClass one in classes)
        {
            Assert.Equal("direct", PairForecast.WayBetween(NatClass.Open, one));
            Assert.All(classes, other => Assert.Equal(PairForecast.WayBetween(one, other), PairForecast.WayBetween(other, one)));
        }

        Assert.Equal("direct", PairForecast.WayBetween(NatClass.Cone, NatClass.Cone));
        Assert.Equal("by guessing", PairForecast.WayBetween(NatClass.Cone, NatClass.Random));
        Assert.Equal("relay", PairForecast.WayBetween(NatClass.Random, NatClass.Random));
        Assert.Equal("relay", PairForecast.WayBetween(NatClass.Random, NatClass.Block));
        Assert.Equal("by guessing", PairForecast.WayBetween(NatClass.Block, NatClass.Block));
        Assert.Empty(PairForecast.For(NatClass.Unknown));
        Assert.Equal(NatClass.Open, PairForecast.ClassOf(new NatProfile { Mapping = NatMapping.AddressAndPortDependent }, isMapped: true));
    }

    [Theory]
    [InlineData(NatMapping.EndpointIndependent, NatFiltering.EndpointIndependent, PortAllocation.Preserving, "Open")]
    [InlineData(NatMapping.EndpointIndependent, NatFiltering.AddressAndPortDependent, PortAllocation.Random, "Cone")]
    [InlineData(NatMapping.EndpointIndependent, NatFiltering.Unknown, PortAllocation.Unknown, "Cone")]
    [InlineData(NatMapping.AddressDependent, NatFiltering.AddressDependent, PortAllocation.Sequential, "Sequential")]
    [InlineData(NatMapping.AddressAndPortDependent, NatFiltering.EndpointIndependent, PortAllocation.Block, "Block")]
    [InlineData(NatMapping.AddressAndPortDependent, NatFiltering.AddressAndPortDependent, PortAllocation.Unknown, "Random")]
    [InlineData(NatMapping.Unknown, NatFiltering.EndpointIndependent, PortAllocation.Preserving, "Unknown")]
    public void A_profile_belongs_to_one_class(NatMapping mapping, NatFiltering filtering, PortAllocation allocation, string expected) =>
        Assert.Equal(expected, PairForecast.ClassOf(new NatProfile { Mapping = mapping, Filtering = filtering, Allocation = allocation }).ToString());

    [Fact]
    public void A_report_in_words_names_the_step_the_block_and_a_remedy()
    {
        var report = new NatReport
        {
            Observed = P2PMigrate.Protocol.Wire.NetworkAddress.FromBytes([203, 0, 113, 7], 4000),
            Profile = new NatProfile { Mapping = NatMapping.AddressAndPortDependent, Filtering = NatFiltering.AddressDependent, Allocation = PortAllocation.Block, LowestPort = 1024, HighestPort = 2047 },
        };
        FindingMade[] findings = [.. NatWords.Findings("IPv4", report, isNat: true)];
        Assert.Contains(findings, finding => finding.Message.Contains("1024 to 2047", StringComparison.Ordinal));
        Assert.Contains(findings, finding => finding is { Severity: "warning", Remedy: not null });
        Assert.Equal("1024-2047", NatWords.Of(report, isNat: true).Ports);
        Assert.Contains("\"event\":\"netchecked\"", JsonOutput.Format(new NetcheckCompleted(true, NatWords.Of(report, true), null, null, PairForecast.For(NatClass.Block))), StringComparison.Ordinal);
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

    // The program as it was built with these tests: only the network of the lab's nodes is another one.
    private async Task<(JsonElement Last, string Everything)> CheckAsync(NatKind kind, int exitCode)
    {
        Assert.SkipUnless(LabGround.IsFit, LabGround.WhyNot ?? "");
        string program = Path.Combine(AppContext.BaseDirectory, "p2pmigrate"), state = Directory.CreateTempSubdirectory("p2pmigrate-netcheck-").FullName;
        try
        {
            await using PeerLab lab = await PeerLab.RaiseAsync(new LabOptions { SourceNat = kind }, _token);
            await using LabProcess server = await lab.Rendezvous.StartAsync(
                program, ["rendezvous", "--json", "--alternate", LabAddresses.RendezvousAlternate.ToString(), "--state-dir", Path.Combine(state, "server")], _token);
            await server.Output.WaitForAsync(line => line.Contains("listening", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
            CommandResult result = await lab.Source.RunAsync(
                program, ["netcheck", "--rendezvous", $"{LabAddresses.Rendezvous}:3478", "--json", "--state-dir", Path.Combine(state, "client")], _token);
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
