using P2PMigrate.Lab;

namespace P2PMigrate.TunnelBench.Contenders;

/// <summary>Everything that plans can name.</summary>
internal static class ContenderList
{
    private static readonly Dictionary<string, IContender> s_all = new IContender[]
    {
        new OurTunnel("p2pmigrate aegis-128l"),
        new OurTunnel("p2pmigrate aes-256-gcm", "--cipher", "aes-256-gcm"),
        new OurTunnel("p2pmigrate aegis-128l, before"),
        new OurTunnel("p2pmigrate aes-256-gcm, before", "--cipher", "aes-256-gcm"),
        new OurTunnel("p2pmigrate chacha20-poly1305", "--cipher", "chacha20-poly1305"),
        new OurTunnel("p2pmigrate 4 streams", "--streams", "4"),
        new KernelTcp("tcp cubic", "cubic"),
        new KernelTcp("tcp bbr", "bbr"),
        new SecureShell(),
        new WireGuard("wireguard-go 2022", "/usr/bin/wireguard-go"),
        new WireGuard("wireguard-go 2025", Path.Combine(Tools.Cache, "wireguard-go-2025/usr/bin/wireguard-go")),
        new Iroh("0.35.0"),
        new RawDatagrams(),
    }.ToDictionary(contender => contender.Name);

    public static IContender Find(string name) => s_all.TryGetValue(name, out IContender? contender)
        ? contender
        : throw new LabException($"there is no contender `{name}`: {string.Join(", ", s_all.Keys)}");
}
