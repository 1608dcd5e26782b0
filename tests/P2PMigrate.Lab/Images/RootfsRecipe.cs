using System.Security.Cryptography;
using System.Text;

namespace P2PMigrate.Lab;

/// <summary>What a virtual host's root file system is made of. Equal recipes share one cached image.</summary>
internal sealed record RootfsRecipe
{
    /// <summary>Debian forky: the first release whose CRIU (4.2.1) dumps inet sockets on kernels from 6.16.</summary>
    public string Suite { get; init; } = "forky";

    public IReadOnlyList<string> Packages { get; init; } =
    [
        "criu", "runc", "crun", "libcriu2", "lxc", "podman", "netavark", "redis-server", "python3", "tini",
        "iptables", "nftables", "miniupnpd-nftables", "iproute2", "socat", "procps", "strace",
        "attr", "acl", "e2fsprogs", "rsync", "tar", "zstd", "libcap2-bin", "libstdc++6", "ca-certificates",
        "systemd", "openssh-server", "openssh-client", // for containers, and those who log in to them
    ];

    /// <summary>The same with more packages of the suite.</summary>
    public RootfsRecipe With(IEnumerable<string> packages) => this with { Packages = [.. Packages, .. packages] };

    /// <summary>Names the image in the cache: another package, suite or container template is another image.</summary>
    public string Key
    {
        get
        {
            string text = string.Join('\n', [Suite, .. Packages.Order(StringComparer.Ordinal), EmbeddedScript.ContainerTemplate]);
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..12];
        }
    }
}
