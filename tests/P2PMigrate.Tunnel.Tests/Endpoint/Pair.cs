namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>Two sessions that are each other's peer, over loopback or in memory: the same tests serve both.</summary>
internal sealed class Pair : IAsyncDisposable
{
    private readonly Peers? _peers;

    private Pair(Peers? peers, ITunnelSession near, ITunnelSession far) => (_peers, Near, Far) = (peers, near, far);

    public ITunnelSession Near { get; }

    public ITunnelSession Far { get; }

    public static async Task<Pair> OpenAsync(bool isInMemory)
    {
        if (isInMemory)
        {
            (InMemorySession first, InMemorySession second) = InMemorySession.CreatePair();
            return new Pair(null, first, second);
        }

        Peers peers = await Peers.OpenAsync();
        (TunnelSession near, TunnelSession far) = await peers.ConnectAsync();
        return new Pair(peers, near, far);
    }

    public async ValueTask DisposeAsync()
    {
        if (_peers is not null)
        {
            await _peers.DisposeAsync();
            return;
        }

        await Near.DisposeAsync();
        await Far.DisposeAsync();
    }
}
