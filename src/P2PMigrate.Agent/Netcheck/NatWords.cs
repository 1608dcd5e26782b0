using P2PMigrate.Agent.Output;
using P2PMigrate.Protocol.Nat;

namespace P2PMigrate.Agent.Netcheck;

/// <summary>A survey's report in words: one for programs, a sentence for a person, and what would improve it.</summary>
internal static class NatWords
{
    /// <summary>The report for programs; <paramref name="isNat"/>: the outside address is none of this machine's.</summary>
    public static NetFamily Of(NatReport report, bool isNat) => new(
        report.Observed.IsNone ? "" : report.Observed.ToString(), isNat, Of(report.Profile.Mapping), Of(report.Profile.Filtering), Of(report.Profile.Allocation),
        report.RoundTrip is { } roundTrip ? Math.Round(roundTrip.TotalMilliseconds, 2) : null)
    {
        Hairpin = report.Hairpins,
        Step = report.Profile.Allocation == PortAllocation.Sequential ? report.Profile.Step : null,
        Ports = report.Profile.Allocation == PortAllocation.Block ? $"{report.Profile.LowestPort}-{report.Profile.HighestPort}" : null,
    };

    /// <summary>All that a report of one internet protocol is worth saying; <paramref name="serverPort"/> is the first of the server that was asked.</summary>
    public static IEnumerable<FindingMade> Findings(string family, NatReport report, bool isNat, int serverPort)
    {
        yield return new("good", "here", family, $"UDP gets through; the server sees {report.Observed}" + (isNat ? ", which is a NAT's address." : ", this machine's own address."), null);
        yield return Mapping(family, report, isNat, serverPort);
        if (report.Profile.Filtering != NatFiltering.Unknown)
            yield return Filtering(family, report.Profile.Filtering);
        if (isNat && Allocation(report.Profile) is { } allocation)
            yield return new("good", "here", family, allocation, null);
        if (isNat && report.Hairpins is { } hairpins)
            yield return new("good", "here", family, hairpins ? "The NAT turns round what is sent to its own address." : "The NAT does not turn round what is sent to its own address; peers behind it use their inner addresses.", null);
    }

    /// <summary>How long idle mappings last, as far as that was measured; <paramref name="isOver"/>: no more will be known.</summary>
    public static FindingMade Lifetime(string family, MappingLife life, bool isOver) => life switch
    {
        { AtLeast: null, AtMost: null } => new("warning", "here", family, "How long the NAT keeps an idle mapping cannot be told: the server does not answer.", null),
        { AtMost: { } lost } when life.AtLeast is not { } kept => new(
            "warning", "here", family, $"The NAT forgets a mapping that is idle for {Seconds(lost)} s: sessions keep theirs, a registration may be lost now and then.", "Raise the UDP timeout in the router."),
        { AtMost: { } lost, AtLeast: { } kept } => new("good", "here", family, $"The NAT keeps a mapping that is idle for {Seconds(kept)} s, and forgets it before {Seconds(lost)} s.", null),
        _ => new("good", "here", family, $"The NAT keeps a mapping that is idle for {Seconds(life.AtLeast!.Value)} s{(isOver ? ", and maybe for longer; no more is measured" : "")}.", null),
    };

    /// <summary>The verdict with what was measured.</summary>
    public static NetFamily With(NetFamily family, MappingLife life) =>
        family with { IdleKeptS = life.AtLeast is { } kept ? Seconds(kept) : null, IdleLostS = life.AtMost is { } lost ? Seconds(lost) : null };

    private static int Seconds(TimeSpan time) => (int)time.TotalSeconds;

    private static FindingMade Mapping(string family, NatReport report, bool isNat, int serverPort) => report.Profile.Mapping switch
    {
        NatMapping.Unknown => new("warning", "here", family,
            $"What the NAT does cannot be told: the rendezvous server has one socket only, or a firewall closes port {serverPort + 1}, its second one by default.",
            $"Let UDP through to the server's port {serverPort + 1}, or run the server with --second-port, and --alternate if its machine has a second address."),
        NatMapping.EndpointIndependent when !isNat => new("good", "here", family, "No NAT is in between.", null),
        NatMapping.EndpointIndependent => new("good", "here", family,
            "The NAT keeps one outside port for all destinations: peers can be told where to send." + (report.HasOtherAddress ? "" : " (The server has no second address, so that is not quite certain.)"), null),
        NatMapping.AddressDependent => new("warning", "here", family, "The NAT takes another outside port for each host: peers have to find it.", OpenPort),
        _ => new("warning", "here", family, "The NAT takes another outside port for each destination (a symmetric NAT): peers have to find it.", OpenPort),
    };

    private static FindingMade Filtering(string family, NatFiltering filtering) => filtering switch
    {
        NatFiltering.EndpointIndependent => new("good", "here", family, "Everybody can send to that port.", null),
        NatFiltering.AddressDependent => new("good", "here", family, "Only hosts to which this machine has sent can send to it.", null),
        _ => new("good", "here", family, "Only those to whose very port this machine has sent can send to it: both sides have to knock, which they do.", null),
    };

    private static string? Allocation(NatProfile profile) => profile.Allocation switch
    {
        PortAllocation.Preserving => "The NAT keeps inside ports where they are free.",
        PortAllocation.Sequential => $"The NAT gives ports in sequence, {profile.Step} apart: they can be foretold.",
        PortAllocation.Block => $"The NAT gives ports of a block, about {profile.LowestPort} to {profile.HighestPort}: few enough to try.",
        PortAllocation.Random => "The NAT gives random ports.",
        _ => null,
    };

    /// <summary>What helps against a NAT that hides its ports.</summary>
    private const string OpenPort = "Turn on UPnP, NAT-PMP or PCP in the router, forward a UDP port to this machine, or get IPv6.";

    private static string Of(NatMapping mapping) => mapping switch
    {
        NatMapping.EndpointIndependent => "endpoint-independent",
        NatMapping.AddressDependent => "address-dependent",
        NatMapping.AddressAndPortDependent => "address-and-port-dependent",
        _ => "unknown",
    };

    private static string Of(NatFiltering filtering) => filtering switch
    {
        NatFiltering.EndpointIndependent => "endpoint-independent",
        NatFiltering.AddressDependent => "address-dependent",
        NatFiltering.AddressAndPortDependent => "address-and-port-dependent",
        _ => "unknown",
    };

    private static string Of(PortAllocation allocation) => allocation switch
    {
        PortAllocation.Preserving => "preserving",
        PortAllocation.Sequential => "sequential",
        PortAllocation.Block => "block",
        PortAllocation.Random => "random",
        _ => "unknown",
    };
}
