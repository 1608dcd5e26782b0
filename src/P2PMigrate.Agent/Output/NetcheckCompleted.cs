using System.Text.Json.Serialization;

namespace P2PMigrate.Agent.Output;

/// <summary>The verdict of <c>netcheck</c>: what stands between this machine and its peers. The findings before it say it in sentences.</summary>
/// <param name="Udp">Did the rendezvous server answer by UDP?</param>
/// <param name="Tls">If not, was it reached by TLS?</param>
/// <param name="Ipv4">What was found by IPv4; null when the server has no such address or this machine no way to it.</param>
/// <param name="Ipv6">The same by IPv6.</param>
/// <param name="Mapped">The address outside that a gateway mapped, or null.</param>
/// <param name="Peers">How a session to each kind of peer goes.</param>
internal sealed record NetcheckCompleted(
    bool Udp, bool Tls, NetFamily? Ipv4, NetFamily? Ipv6, string? Mapped, IReadOnlyList<PairOutlook> Peers) : AgentEvent
{
    public override string ToLine() =>
        !Udp && !Tls ? "The rendezvous server does not answer, neither by UDP nor by TLS."
        : string.Join('\n', [.. Peers.Select(peer => $"Peers {peer.Peer}: {peer.Way}."), "Peers that share a network, or IPv6, with this machine need none of that."]);
}

/// <summary>What <c>netcheck</c> found out by one internet protocol; words as in the protocol's chapters 07 and 08.</summary>
internal sealed record NetFamily(string Public, bool Nat, string Mapping, string Filtering, string Allocation, double? RttMs)
{
    /// <summary>Does the NAT turn round what is sent to its own outside address? Null when that is not known.</summary>
    public bool? Hairpin { get; init; }

    /// <summary>The distance of two ports in a row, when they are sequential.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Step { get; init; }

    /// <summary>So many seconds without use a mapping was kept, when that was measured.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? IdleKeptS { get; init; }

    /// <summary>After so many it was gone; null when none was found gone.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? IdleLostS { get; init; }

    /// <summary>The ports of a block, as <c>LOW-HIGH</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Ports { get; init; }
}

/// <summary>How a session with peers of a kind goes: <c>direct</c>, <c>by guessing</c> or <c>relay</c>.</summary>
internal sealed record PairOutlook(string Peer, string Way);
