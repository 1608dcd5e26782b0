using System.Net;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Podman;

/// <summary>Networks that Podman makes must be here with the same range of addresses, and the container's own be free.</summary>
// spec: MIG-184
internal sealed class PodmanNetworkCheck(PodmanTool podman)
{
    private const string Mode = "mode", Vlan = "vlan", Managed = "managed";

    /// <summary>Looks at each; one finding a line.</summary>
    public Task<IReadOnlyList<Finding>> RunAsync(IEnumerable<(string Name, IReadOnlyList<string> Addresses)> networks, CancellationToken cancellationToken) => RunAsync(networks, AtTarget, cancellationToken);

    /// <summary>The same of a container that runs nowhere else: its network may be of any kind.</summary>
    public Task<IReadOnlyList<Finding>> RunForOneAsync(IEnumerable<(string Name, IReadOnlyList<string> Addresses)> networks, CancellationToken cancellationToken) => RunAsync(networks, ForOne, cancellationToken);

    private async Task<IReadOnlyList<Finding>> RunAsync(
        IEnumerable<(string Name, IReadOnlyList<string> Addresses)> networks, Func<string, IReadOnlyList<string>, PodmanNetwork?, IReadOnlyList<Finding>> look, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach ((string name, IReadOnlyList<string> addresses) in networks)
            findings.AddRange(look(name, addresses, await podman.NetworkAsync(name, cancellationToken).ConfigureAwait(false)));
        return findings;
    }

    /// <summary>Can a container come from another machine into this network, which is null when there is none, with these addresses?</summary>
    public static IReadOnlyList<Finding> AtTarget(string name, IReadOnlyList<string> addresses, PodmanNetwork? network) =>
        network is null ? [Missing(name)] : GoodUnless([.. Kind(network), .. AddressesIn(network, name, addresses)], name);

    /// <summary>The same of a container that runs nowhere else.</summary>
    public static IReadOnlyList<Finding> ForOne(string name, IReadOnlyList<string> addresses, PodmanNetwork? network) =>
        network is null ? [Missing(name)] : GoodUnless([.. AddressesIn(network, name, addresses)], name);

    private static Finding Missing(string name) =>
        Block($"Podman's network {name}, in which the container is, does not exist here.", $"Make one with the same range of addresses; `podman network inspect {name}` at the source shows it: podman network create --subnet RANGE {name}");

    private static Finding[] GoodUnless(Finding[] blockers, string name) =>
        blockers.Length > 0 ? blockers : [new Finding(FindingSeverity.Good, "network", $"Podman's network {name} is here, and the container's address is free.")];

    private static IEnumerable<Finding> AddressesIn(PodmanNetwork network, string name, IReadOnlyList<string> addresses) => addresses.SelectMany(address => Address(name, address, network));

    /// <summary>
    /// Is it a bridge of Podman's own, behind this machine's address? What is on a network with others than this machine's containers would be there twice, with one address, before the source has let go of it; and a port's VLAN
    /// is lost when the port leaves its bridge.
    /// </summary>
    public static IEnumerable<Finding> Kind(PodmanNetwork network)
    {
        string? mode = network.Options?.GetValueOrDefault(Mode), what = network.Driver != PodmanConfiguration.Bridge ? $"a {network.Driver}"
            : mode is not (null or "" or Managed) ? $"a bridge in the mode {mode}" : network.Options?.ContainsKey(Vlan) == true ? "a bridge with a VLAN" : null;
        if (what is not null) yield return Block($"Podman's network {network.Name} is {what}, with which this version does not move containers.", "Give the container a prepared network, on both machines: ip netns add NAME; podman create --network ns:/run/netns/NAME.");
    }

    private static IEnumerable<Finding> Address(string name, string address, PodmanNetwork network)
    {
        if (network.Subnets?.Any(subnet => IPNetwork.TryParse(subnet.Range, out IPNetwork range) && IPAddress.TryParse(address, out IPAddress? own) && range.Contains(own)) != true)
            yield return Block($"Podman's network {name} has other addresses here than at the source, where the container has {address}.", $"Make it anew with the range of the source: podman network rm {name}; podman network create --subnet RANGE {name}");
        if (network.Subnets?.Any(subnet => subnet.Gateway == address) == true)
            yield return Block($"The container's address {address} is that of this machine in Podman's network {name}.", $"Make it anew with the gateway of the source: podman network rm {name}; podman network create --subnet RANGE --gateway ADDRESS {name}");
        if (network.HolderOf(address) is { } holder)
            yield return Block($"The container's address {address} in Podman's network {name} is {holder}'s here.", $"End that one for the time being (podman stop {holder}), or give it another address.");
    }

    private static Finding Block(string message, string remedy) => new(FindingSeverity.Blocker, "network", message, remedy);
}
