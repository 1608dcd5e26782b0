namespace P2PMigrate.Lab;

/// <summary>The far end of a node's uplink, where the link can be made to swallow packets without the node noticing.</summary>
internal sealed class Uplink(LabNode node, string interfaceName)
{
    private string Table => $"netdev cut-{interfaceName}";

    public async Task CutAsync(CancellationToken cancellationToken)
    {
        await HealAsync(cancellationToken).ConfigureAwait(false);
        await ApplyAsync(
            $$"""
            table {{Table}} {
              chain in { type filter hook ingress device "{{interfaceName}}" priority 0; policy drop; }
              chain out { type filter hook egress device "{{interfaceName}}" priority 0; policy drop; }
            }
            """,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>`delete` fails on a table that is not there; adding it first is idempotent.</summary>
    public Task HealAsync(CancellationToken cancellationToken) => ApplyAsync($"add table {Table}\ndelete table {Table}", cancellationToken);

    private async Task ApplyAsync(string rules, CancellationToken cancellationToken)
    {
        CommandResult result = await node.RunAsync(new NodeCommand("nft", ["-f", "-"]) { Input = rules }, cancellationToken).ConfigureAwait(false);
        result.EnsureSuccess();
    }
}
