using P2PMigrate.Agent.Output;
using P2PMigrate.Agent.State;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate id</c>: who this peer is.</summary>
internal sealed class IdCommand() : AgentCommand("id", "Prints this peer's id; makes its key on first use.")
{
    /// <inheritdoc/>
    protected override bool ConcernsContainer => false;

    protected override Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        using PrivateIdentity identity = IdentityFile.LoadOrCreate(context.State.Root);
        context.Output.Show(new IdentityShown(identity.PeerId.ToString()));
        return Task.FromResult(ExitCode.Done);
    }
}
