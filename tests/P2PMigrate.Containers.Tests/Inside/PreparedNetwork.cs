namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>
/// A network namespace for a container, with loopback and perhaps one end of a veth. Tests share a host, and a test runs once per runtime, so it has a name of its own, and disposing removes it.
/// </summary>
internal sealed class PreparedNetwork : IAsyncDisposable
{
    private readonly string _name = "n" + Guid.NewGuid().ToString("N")[..8];

    private PreparedNetwork()
    {
    }

    public string Path => $"/run/netns/{_name}";

    /// <summary>The veth's end outside, if there is one.</summary>
    public string Veth => _name;

    public static async Task<PreparedNetwork> RaiseAsync()
    {
        var network = new PreparedNetwork();
        await Shell.RunAsync($"ip netns add {network._name}; ip -n {network._name} link set lo up");
        return network;
    }

    /// <summary>The same with an <c>eth0</c>, whose other end is on no bridge yet.</summary>
    public static async Task<PreparedNetwork> RaiseAsync(string address, string mac)
    {
        PreparedNetwork network = await RaiseAsync();
        await Shell.RunAsync($"ip link add {network.Veth} type veth peer name eth0 address {mac} netns {network._name}; ip -n {network._name} link set eth0 up; ip -n {network._name} addr add {address} dev eth0");
        return network;
    }

    /// <summary>The veth first: one that goes with its namespace goes later.</summary>
    public async ValueTask DisposeAsync() => await Shell.RunAsync($"ip link del {Veth} 2>/dev/null || :; ip netns del {_name}");
}
