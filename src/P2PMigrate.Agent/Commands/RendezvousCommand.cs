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
        IPEndPoint listen = PeerAddressing.ListenAddress(context.Parsed.GetValue(_listen)!);
        FleetOptions? fleet = FleetOf(context, listen);
        using X509Certificate2? certificate = CertificateOf(context);
        RendezvousAlternates alternates = AlternatesOf(context, listen) with { Tls = TlsOf(context, certificate) };
        await using RendezvousServer server = await StartAsync(context, listen, fleet, alternates, cancellationToken).ConfigureAwait(false);
        context.Output.Show(Ready(server, fleet, alternates));
        await server.Stopped.WaitAsync(cancellationToken).ConfigureAwait(false);
        return ExitCode.Unexpected; // It stopped by itself, and the log says why.
    }

    private static async Task<RendezvousServer> StartAsync(
        CommandContext context, IPEndPoint listen, FleetOptions? fleet, RendezvousAlternates alternates, CancellationToken cancellationToken)
    {
        ILogger logger = context.Log.CreateLogger<RendezvousServer>();
        try
        {
            return fleet is null
                ? RendezvousServer.Start(listen, alternates, logger: logger)
                : await RendezvousServer.StartAsync(listen, fleet, alternates, logger: logger, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (TunnelException refused) when (refused.Reason == TunnelFailure.Local)
        {
            throw new UsageException(refused.Message, refused); // A port that is taken, a Redis that is not there: what was typed names them.
        }
    }

    private static Listening Ready(RendezvousServer server, FleetOptions? fleet, RendezvousAlternates wanted)
    {
        int secondPort = server.Alternates.OtherPort;
        return new Listening(server.LocalEndPoint.ToString())
        {
            SecondPort = secondPort == 0 ? null : secondPort,
            SecondPortLeftOut = secondPort == 0 ? wanted.OtherPort : null,
            Alternate = server.Alternates.OtherAddress is { IsNone: false } alternate ? alternate.ToString() : null,
            Tls = server.LocalTlsEndPoint?.ToString(),
            Redis = fleet?.RedisServers,
            Advertised = server.FleetAddress?.ToString(),
        };
    }

    private X509Certificate2? CertificateOf(CommandContext context)
    {
        try
        {
            return context.Parsed.GetValue(_certificate) is { } file ? ServerCertificate.Load(file) : null;
        }
        catch (TunnelException unusable)
        {
            throw new UsageException(unusable.Message, unusable);
        }
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
            MayLackOtherPort = wanted is null, // Nobody asked for it. Without it the server is what it was before there were second ports.
            OtherAddress = PeerAddressing.AlternateAddress(context.Parsed.GetValue(_alternate), After(listen.Port, 2)),
        };
    }

    private FleetOptions? FleetOf(CommandContext context, IPEndPoint listen)
    {
        string? redis = context.Parsed.GetValue(_redis);
        string? advertised = context.Parsed.GetValue(_advertise);
        if (redis is not null && IsUrl(redis))
            throw new UsageException("--redis takes no URL and no user before the host; type HOST:PORT, and options after commas, such as HOST:PORT,user=…,password=….");
        if (redis is null)
            return advertised is null ? null : throw new UsageException("--advertise is for servers that share a Redis; name it with --redis HOST:PORT.");
        if (advertised is null && (listen.Address.Equals(IPAddress.Any) || listen.Address.Equals(IPAddress.IPv6Any)))
            throw new UsageException($"With --redis the other servers have to know where this one is, and {listen} does not say that; add --advertise ADDR:PORT.");
        return new FleetOptions { Redis = redis, Address = advertised is null ? null : PeerAddressing.ListenAddress(advertised) };
    }

    // In a value after `=`, such as a password, everything may stand. The text is not told: there may be a password in it.
    private static bool IsUrl(string redis) => redis.Split(',').Any(part =>
    {
        string head = part.Split('=')[0];
        return head.Contains('@', StringComparison.Ordinal) || head.Contains("://", StringComparison.Ordinal) || (head != part && head.Contains(':', StringComparison.Ordinal));
    });

    private static int After(int port, int distance) => port == 0 || port + distance > ushort.MaxValue ? 0 : port + distance;
}
