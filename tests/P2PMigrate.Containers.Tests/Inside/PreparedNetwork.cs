namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>A network namespace for a container, with loopback only. Tests share a host, and a test runs once per runtime, so it has a name of its own, and disposing removes it.</summary>
internal sealed class PreparedNetwork : IAsyncDisposable
{
    private readonly string _name = "n" + Guid.NewGuid().ToString("N")[..8];

    private PreparedNetwork()
    {
    }

    public string Path => $"/run/netns/{_name}";

    public static async Task<PreparedNetwork> RaiseAsync()
    {
        var network = new PreparedNetwork();
        await Shell.RunAsync($"ip netns add {network._name}; ip -n {network._name} link set lo up");
        return network;
    }

    public async ValueTask DisposeAsync() => await Shell.RunAsync($"ip netns del {_name}");
}
