using System.CommandLine;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using P2PMigrate.Agent.Output;
using P2PMigrate.Rendezvous;
using P2PMigrate.Rendezvous.Fleet;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate rendezvous</c>: the server through which peers find each other, and the relay for those who cannot be direct.</summary>
internal sealed class RendezvousCommand : AgentCommand
{
    private readonly Option<string> _listen = new("--listen")
    {
        Description = "The UDP address to serve.",
        HelpName = "ADDR:PORT",
        DefaultValueFactory = _ => "0.0.0.0:3478",
    };

    private readonly Option<string?> _tls = new("--tls")
    {
        Description = "The TCP address at which peers are served whose UDP is blocked; they try port 443. Not served by default.",
        HelpName = "ADDR:PORT",
    };

    private readonly Option<string?> _certificate = new("--tls-certificate")
    {
        Description = "A PEM file with the certificate to show there and its key; one is made at the start by default. Peers do not look at it.",
        HelpName = "FILE",
    };

    private readonly Option<int?> _secondPort = new("--second-port")
    {
        Description = "Another port, by which peers learn what their NATs do; 0 for none. The one after the first by default, if it is free.",
        HelpName = "PORT",
    };

    private readonly Option<string?> _alternate = new("--alternate")
    {
        Description = "Another address of this machine, by which they learn the rest. Its port is the second one after the first by default.",
        HelpName = "ADDR[:PORT]",
    };

    private readonly Option<string?> _redis = new("--redis")
    {
        Description = "The Redis that this server shares with others, so that their peers find each other. "
            + "Options follow after commas, such as ,user=…,password=…,ssl=true.",
        HelpName = "HOST:PORT",
    };

    private readonly Option<string?> _advertise = new("--advertise")
    {
        Description = "With --redis: where the other servers reach this one. By default where it listens.",
        HelpName = "ADDR:PORT",
    };

    public RendezvousCommand()
        : base("rendezvous", "Serves as rendezvous and relay; sees ciphertext only.")
    {
        foreach (Option option in (Option[])[_listen, _tls, _certificate, _secondPort, _alternate, _redis, _advertise])
            Options.Add(option);
    }

    /// <inheritdoc/>
    protected override bool ConcernsContainer => false;

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        using X509Certificate2? certificate = context.Parsed.GetValue(_certificate) is { } file ? ServerCertificate.Load(file) : null;
        await using RendezvousServer server = await StartAsync(context, TlsOf(context, certificate), cancellationToken).ConfigureAwait(false);
        context.Output.Show(new Listening(server.LocalEndPoint.ToString())
        {
            Redis = context.Parsed.GetValue(_redis)?.Split(',')[0],
            Advertised = server.FleetAddress?.ToString(),
        });
        await server.Stopped.WaitAsync(cancellationToken).ConfigureAwait(false);
        return ExitCode.Unexpected; // It stopped by itself, and the log says why.
    }

    private async Task<RendezvousServer> StartAsync(CommandContext context, RendezvousTlsOptions? tls, CancellationToken cancellationToken)
    {
        IPEndPoint listen = PeerAddressing.ListenAddress(context.Parsed.GetValue(_listen)!);
        FleetOptions? fleet = FleetOf(context, listen);
        RendezvousAlternates alternates = AlternatesOf(context, listen) with { Tls = tls };
        ILogger logger = context.Log.CreateLogger<RendezvousServer>();
        try
        {
            try
            {
                return await ServeAsync(alternates).ConfigureAwait(false);
            }
            catch (TunnelException) when (alternates.OtherPort is not null && context.Parsed.GetValue(_secondPort) is null)
            {
                // Nobody asked for the second port. Without it the server is what it was before there were second ports.
                return await ServeAsync(alternates with { OtherPort = null }).ConfigureAwait(false);
            }
        }
        catch (TunnelException refused) when (refused.Reason == TunnelFailure.Local)
        {
            throw new UsageException(refused.Message, refused); // A port that is taken, a Redis that is not there: what was typed names them.
        }

        async Task<RendezvousServer> ServeAsync(RendezvousAlternates others) => fleet is null
            ? RendezvousServer.Start(listen, others, logger: logger)
            : await RendezvousServer.StartAsync(listen, fleet, others, logger: logger, cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    private RendezvousTlsOptions? TlsOf(CommandContext context, X509Certificate2? certificate) => context.Parsed.GetValue(_tls) is { } listen
        ? new RendezvousTlsOptions { Listen = PeerAddressing.ListenAddress(listen), Certificate = certificate }
        : certificate is null ? null : throw new UsageException("--tls-certificate is for --tls; say where to listen, such as --tls 0.0.0.0:443.");

    private RendezvousAlternates AlternatesOf(CommandContext context, IPEndPoint listen)
    {
        int? wanted = context.Parsed.GetValue(_secondPort);
        if (wanted is < 0 or > ushort.MaxValue || (wanted == listen.Port && wanted != 0))
            throw new UsageException($"`{wanted}` is no second port; type one from 1 to 65535 that is not the first, or 0 for none.");
        return new RendezvousAlternates
        {
            OtherPort = wanted is { } port ? (port == 0 ? null : port) : After(listen.Port, 1),
            OtherAddress = PeerAddressing.AlternateAddress(context.Parsed.GetValue(_alternate), After(listen.Port, 2)),
        };
    }

    private FleetOptions? FleetOf(CommandContext context, IPEndPoint listen)
    {
        string? redis = context.Parsed.GetValue(_redis);
        string? advertised = context.Parsed.GetValue(_advertise);
        if (redis is null)
            return advertised is null ? null : throw new UsageException("--advertise is for servers that share a Redis; name it with --redis HOST:PORT.");
        if (advertised is null && (listen.Address.Equals(IPAddress.Any) || listen.Address.Equals(IPAddress.IPv6Any)))
            throw new UsageException($"With --redis the other servers have to know where this one is, and {listen} does not say that; add --advertise ADDR:PORT.");
        return new FleetOptions { Redis = redis, Address = advertised is null ? null : PeerAddressing.ListenAddress(advertised) };
    }

    private static int After(int port, int distance) => port == 0 || port + distance > ushort.MaxValue ? 0 : port + distance;
}
