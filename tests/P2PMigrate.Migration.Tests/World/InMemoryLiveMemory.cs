using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>The memory of a copy that runs: the first page is torn whenever the container counts.</summary>
internal sealed class InMemoryLiveMemory(InMemoryRuntime runtime, SimulatedContainer copy) : ILiveMemory
{
    public void ReadPass(LivePagesHandler found, CancellationToken cancellationToken)
    {
        runtime.AtAsync("live", cancellationToken).GetAwaiter().GetResult();
        found(1, SimulatedContainer.Address, copy.Memory);
        copy.Live();
    }

    public void Dispose()
    {
    }
}
