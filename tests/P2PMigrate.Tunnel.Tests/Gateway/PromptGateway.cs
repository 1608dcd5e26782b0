using P2PMigrate.Protocol.Paths;
using P2PMigrate.Tunnel.Gateway;

namespace P2PMigrate.Tunnel.Tests.Gateway;

/// <summary>A gateway that maps what the test tells it, when the test tells it.</summary>
internal sealed class PromptGateway : IPortMapper
{
    private Action<IReadOnlyList<Candidate>> _changed = _ => { };

    public void Start(Action<IReadOnlyList<Candidate>> changed) => _changed = changed;

    public void Map(params IReadOnlyList<Candidate> mapped) => _changed(mapped);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
