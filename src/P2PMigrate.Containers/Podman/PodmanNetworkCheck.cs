using System.Net;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Podman;

/// <summary>Networks that Podman makes must be here with the same range of addresses, and the container's own be free.</summary>
// spec: MIG-184
internal sealed class PodmanNetworkCheck(PodmanTool podman)
{
    private readonly List<Finding> _findings = [];

    /// <summary>Looks at each; one finding a line.</summary>
    public async Task<IReadOnlyList<Finding>> RunAsync(IEnumerable<(string Name, IReadOnlyList<string> Addresses)> networks, CancellationToken cancellationToken)
    {
        foreach ((string name, IReadOnlyList<string> addresses) in networks) await CheckAsync(name, addresses, cancellationToken).ConfigureAwait(false);
        return _findings;
    }

    private async Task CheckAsync(string name, IReadOnlyList<string> addresses, CancellationToken cancellationToken)
    {
        if (await podman.NetworkAsync(name, cancellationToken).ConfigureAwait(false) is not { } network)
        {
            Block($"Podman's network {name}, in which the container is, does not exist here.", $"podman network create {name}, with the options that it has at the source (podman network inspect {name})");
            return;
        }

        int before = _findings.Count;
        foreach (string address in addresses)
        {
            if (network.Subnets?.Any(subnet => IPNetwork.TryParse(subnet.Range, out IPNetwork range) && IPAddress.TryParse(address, out IPAddress? own) && range.Contains(own)) != true)
                Block($"Podman's network {name} has other addresses here than at the source, where the container has {address}.", $"Make it anew with those of the source (podman network inspect {name}).");
            if (network.HolderOf(address) is { } holder)
                Block($"The container's address {address} in Podman's network {name} is {holder}'s here.", $"End that one for the time being (podman stop {holder}), or give it another address.");
        }

        if (_findings.Count == before) _findings.Add(new Finding(FindingSeverity.Good, "network", $"Podman's network {name} is here, and the container's address is free."));
    }

    private void Block(string message, string remedy) => _findings.Add(new Finding(FindingSeverity.Blocker, "network", message, remedy));
}
