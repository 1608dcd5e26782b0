using System.CommandLine;
using P2PMigrate.Agent.Output;
using P2PMigrate.Agent.State;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.Commands;

/// <summary><c>p2pmigrate id</c>: who this peer is.</summary>
internal sealed class IdCommand : AgentCommand
{
    private readonly Option<bool> _key = new("--key")
    {
        Description = "Print the public key instead, which `--for` wants: only with it can another machine seal something for this one.",
    };

    public IdCommand()
        : base("id", "Prints this peer's id; makes its key on first use.") => Options.Add(_key);

    /// <inheritdoc/>
    protected override bool ConcernsContainer => false;

    protected override Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        using PrivateIdentity identity = IdentityFile.LoadOrCreate(context.State.Root);
        context.Output.Show(new IdentityShown(identity.PeerId.ToString())
        {
            PublicKey = KeyText.Format(identity.Public),
            IsKeyAsked = context.Parsed.GetValue(_key),
        });
        return Task.FromResult(ExitCode.Done);
    }
}
