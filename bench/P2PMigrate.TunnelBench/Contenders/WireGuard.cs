using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Contenders;

/// <summary>wireguard-go between the nodes, and the kernel's TCP through it. The kernel's own WireGuard is not everywhere.</summary>
internal sealed class WireGuard(string name, string program) : IContender
{
    private const string NearInside = "10.88.0.1", FarInside = "10.88.0.2";
    private const int Port = 51820;

    public string Name => name;

    public string? WhyNot => !File.Exists(program) || !Tools.Has("wg") ? "no wireguard-go or wg: run bench/install" : null;

    public async Task<double> CarryAsync(BenchNetwork network, TimeSpan time, CancellationToken cancellationToken)
    {
        // The control socket of an interface lies in the file system that all nodes share.
        string tag = Path.GetFileName(network.Directory)[^6..];
        try
        {
            return await CarryAsync(network, tag, time, cancellationToken);
        }
        finally
        {
            // A killed wireguard-go leaves them behind.
            File.Delete($"/var/run/wireguard/wga-{tag}.sock");
            File.Delete($"/var/run/wireguard/wgb-{tag}.sock");
        }
    }

    private async Task<double> CarryAsync(BenchNetwork network, string tag, TimeSpan time, CancellationToken cancellationToken)
    {
        await using LabProcess near = await StartAsync(network.Near, $"wga-{tag}", cancellationToken);
        await using LabProcess far = await StartAsync(network.Far, $"wgb-{tag}", cancellationToken);
        string nearKey = await KeyAsync(network.Near, network.Directory, "near.key", cancellationToken);
        string farKey = await KeyAsync(network.Far, network.Directory, "far.key", cancellationToken);
        await ConfigureAsync(network.Near, $"wga-{tag}", network.Directory, "near.key", farKey, NearInside, FarInside, BenchNetwork.FarAddress, cancellationToken);
        await ConfigureAsync(network.Far, $"wgb-{tag}", network.Directory, "far.key", nearKey, FarInside, NearInside, BenchNetwork.NearAddress, cancellationToken);
        return await KernelTcp.CarryAsync(network, FarInside, "cubic", time, cancellationToken);
    }

    private async Task<LabProcess> StartAsync(LabNode node, string device, CancellationToken cancellationToken)
    {
        LabProcess process = await node.StartAsync(program, ["-f", device], cancellationToken);
        await node.ShellAsync($"for i in $(seq 100); do test -S /var/run/wireguard/{device}.sock && exit 0; sleep 0.1; done; exit 1", cancellationToken);
        return process;
    }

    private static async Task<string> KeyAsync(LabNode node, string directory, string file, CancellationToken cancellationToken) =>
        (await node.ShellAsync($"umask 077; cd {directory}; wg genkey > {file}; wg pubkey < {file}", cancellationToken)).Trim();

    private static Task<string> ConfigureAsync(
        LabNode node, string device, string directory, string key, string peer, string inside, string peerInside, string peerAddress, CancellationToken cancellationToken) =>
        node.ShellAsync(
            $"wg set {device} listen-port {Port} private-key {directory}/{key} peer {peer} allowed-ips {peerInside}/32 endpoint {peerAddress}:{Port}; " +
            $"ip address add {inside}/24 dev {device}; ip link set {device} up mtu 1420",
            cancellationToken);
}
