using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using P2PMigrate.Agent.Netcheck;
using P2PMigrate.Agent.Output;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Nat;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate netcheck --rendezvous HOST:PORT</c>: what NATs and firewalls stand before this machine, and what that means for its sessions.</summary>
internal sealed class NetcheckCommand : AgentCommand
{
    private readonly Option<string> _rendezvous = new("--rendezvous")
    {
        Description = "The rendezvous server with whose help to look.",
        HelpName = "HOST:PORT",
        Required = true,
    };

    private readonly Option<bool> _lifetime = new("--lifetime")
    {
        Description = "Measure too how long the NAT keeps a mapping that nobody uses: takes up to two minutes.",
    };

    public NetcheckCommand()
        : base("netcheck", "Says what NATs and firewalls stand before this machine, and which peers it can reach directly.")
    {
        Options.Add(_rendezvous);
        Options.Add(PeerAddressing.NoPortMapping);
        Options.Add(_lifetime);
    }

    /// <inheritdoc/>
    protected override bool ConcernsContainer => false;

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        ServerName server = PeerAddressing.Server(context.Parsed.GetValue(_rendezvous))!.Value;
        bool asksGateway = !context.Parsed.GetValue(PeerAddressing.NoPortMapping);
        IPAddress[] addresses = await ResolveAsync(server, cancellationToken).ConfigureAwait(false);
        ILogger logger = context.Log.CreateLogger<TunnelEndpoint>();
        FamilyResult?[] results = await Task.WhenAll(
            CheckAsync(AddressFamily.InterNetwork, asksGateway), CheckAsync(AddressFamily.InterNetworkV6, asksGateway: false)).ConfigureAwait(false);
        ShowAll(context.Output, server, results[0], results[1], asksGateway);
        FamilyResult? behind = Array.Find(results, result => result is { IsNat: true });
        MappingLife? life = null;
        if (behind is not null && context.Parsed.GetValue(_lifetime))
        {
            IPAddress there = Array.Find(addresses, address => address.AddressFamily == behind.Family)!;
            life = await MeasureAsync(context.Output, behind.Family, there, server.Port, cancellationToken).ConfigureAwait(false);
        }
        else if (behind is not null)
        {
            context.Output.Show(new FindingMade("good", "here", NameOf(behind.Family), "How long the NAT keeps a mapping that nobody uses is measured with --lifetime, in two minutes at most.", null));
        }

        NetcheckCompleted verdict = Conclude(results[0], results[1], behind, life);
        context.Output.Show(verdict);
        return verdict.Udp || verdict.Tls ? ExitCode.Done : ExitCode.PeerUnreachable;

        async Task<FamilyResult?> CheckAsync(AddressFamily family, bool asksGateway) =>
            Array.Find(addresses, address => address.AddressFamily == family) is { } address
                ? await FamilyCheck.RunAsync(address, server.Port, asksGateway, logger, cancellationToken).ConfigureAwait(false)
                : null;
    }

    private static async Task<IPAddress[]> ResolveAsync(ServerName server, CancellationToken cancellationToken)
    {
        try
        {
            return await Dns.GetHostAddressesAsync(server.Host, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException error)
        {
            throw new TunnelException(TunnelFailure.RendezvousUnreachable, $"The name of the rendezvous server {server} cannot be resolved: {error.Message}.", error);
        }
    }

    private static async Task<MappingLife> MeasureAsync(IOutput output, AddressFamily family, IPAddress server, int port, CancellationToken cancellationToken)
    {
        string name = NameOf(family);
        output.Show(new FindingMade("good", "here", name, $"Measuring how long the NAT keeps a mapping that nobody uses; this takes up to {(int)MappingLifetime.Longest.TotalSeconds} s.", null));
        MappingLife life = await MappingLifetime.MeasureAsync(new IPEndPoint(server, port), new LifeProgress(output, name), cancellationToken).ConfigureAwait(false);
        output.Show(NatWords.Lifetime(name, life, isOver: true));
        return life;
    }

    private static string NameOf(AddressFamily family) => family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";

    private static void ShowAll(IOutput output, ServerName server, FamilyResult? v4, FamilyResult? v6, bool askedGateway)
    {
        ShowFamily(output, "IPv4", server, v4);
        ShowFamily(output, "IPv6", server, v6);
        if (askedGateway && v4 is { IsNat: true } or { Mapped: not null })
            output.Show(Gateway(v4));
    }

    private static NetcheckCompleted Conclude(FamilyResult? v4, FamilyResult? v6, FamilyResult? behind, MappingLife? life)
    {
        FamilyResult? best = v4?.Report is not null ? v4 : v6;
        bool isByTls = best?.Report is null && (v4 is { IsByTls: true } || v6 is { IsByTls: true });
        IReadOnlyList<PairOutlook> peers = best?.Report is { } report ? PairForecast.For(report.Profile, best.IsMappedOutside)
            : isByTls ? PairForecast.WithoutUdp : [];
        return new NetcheckCompleted(best?.Report is not null, isByTls, Measured(v4), Measured(v6), v4?.Mapped?.ToString(), peers);

        NetFamily? Measured(FamilyResult? result) => FamilyOf(result) is { } family ? result == behind && life is { } known ? NatWords.With(family, known) : family : null;
    }

    private static NetFamily? FamilyOf(FamilyResult? result) => result is { Report: { } report } ? NatWords.Of(report, result.IsNat) : null;

    private static void ShowFamily(IOutput output, string family, ServerName server, FamilyResult? result)
    {
        if (result is null)
            return;
        if (result.Report is not { } report)
        {
            output.Show(new FindingMade(
                "warning", "here", family, $"The rendezvous server {server} does not answer by UDP.", $"Let UDP out to port {server.Port} in this network's firewall, or check that the server runs."));
            if (result.IsByTls)
                output.Show(new FindingMade("good", "here", family, $"The server is reached by TLS on port {FamilyCheck.TlsPort}: sessions work, relayed.", null));
            return;
        }

        foreach (FindingMade finding in NatWords.Findings(family, report, result.IsNat, server.Port))
            output.Show(finding);
    }

    private static FindingMade Gateway(FamilyResult v4) => v4.Mapped is { } mapped
        ? v4.IsMappedOutside
            ? new("good", "here", "gateway", $"The router maps a port on request: {mapped} led here and was given back. With one, peers behind any NAT reach this machine directly.", null)
            : new("warning", "here", "gateway", $"The router maps a port on request, but is itself behind a NAT: {mapped} can be reached only from the network in between.", "Ask the outer router for a port too, or put the inner one into bridge mode.")
        : new("warning", "here", "gateway", "The router maps no port on request.", "Turn on PCP, NAT-PMP or UPnP in it, if it can, so that peers behind any NAT reach this machine directly.");

    /// <summary>Shows at once what a measurement has found so far; the last word is the command's.</summary>
    private sealed class LifeProgress(IOutput output, string family) : IProgress<MappingLife>
    {
        public void Report(MappingLife value)
        {
            if (value.AtMost is null)
                output.Show(NatWords.Lifetime(family, value, isOver: false));
        }
    }
}
