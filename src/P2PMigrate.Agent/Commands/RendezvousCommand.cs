using System.CommandLine;
using Microsoft.Extensions.Logging;
using P2PMigrate.Agent.Output;
using P2PMigrate.Rendezvous;

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

    public RendezvousCommand()
        : base("rendezvous", "Serves as rendezvous and relay; sees ciphertext only.") => Options.Add(_listen);

    protected override async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using RendezvousServer server = RendezvousServer.Start(
            PeerAddressing.ListenAddress(context.Parsed.GetValue(_listen)!), logger: context.Log.CreateLogger<RendezvousServer>());
        context.Output.Show(new Listening(server.LocalEndPoint.ToString()));
        await server.Stopped.WaitAsync(cancellationToken).ConfigureAwait(false);
        return ExitCode.Done;
    }
}
