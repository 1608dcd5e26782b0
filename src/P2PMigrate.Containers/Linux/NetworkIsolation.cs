using System.Globalization;
using System.Text.Json;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Linux;

/// <summary>The host's end of a container's veth pair, a port of a bridge.</summary>
internal sealed record BridgeLink(string Name, string Bridge);

/// <summary>
/// How a container can be cut off from the network without a firewall: its veth's outer end is taken off the bridge. Packets for
/// it are lost then as on a broken cable, so no kernel acknowledges data that the frozen container will never read.
/// </summary>
/// <param name="Links">The outer ends to take off.</param>
/// <param name="Complete">Is that all the network it has? Then CRIU need not lock anything.</param>
internal sealed record NetworkIsolation(IReadOnlyList<BridgeLink> Links, bool Complete)
{
    private const string LinkRoot = "/sys/class/net";

    /// <summary>Finds the links of the container that <paramref name="initPid"/> is the first process of. Changes nothing.</summary>
    public static async Task<NetworkIsolation> FindAsync(int initPid, CancellationToken cancellationToken)
    {
        if (SharesOurNetwork(initPid)) return new NetworkIsolation([], Complete: false);
        ToolResult listed = await Tool.RunAsync(
            "nsenter", ["-t", initPid.ToString(CultureInfo.InvariantCulture), "-n", "ip", "-json", "link", "show", "up"], cancellationToken).ConfigureAwait(false);
        if (!listed.Succeeded) return new NetworkIsolation([], Complete: false);

        IReadOnlyList<InnerLink> inner = InnerLink.Parse(listed.Output);
        BridgeLink?[] outer = [.. inner.Select(FindOuter)];
        return new NetworkIsolation([.. outer.OfType<BridgeLink>()], Complete: !outer.Contains(null));
    }

    /// <summary>Takes every link off its bridge. On failure those already taken are put back by the caller's undo.</summary>
    public static async Task DetachAsync(IEnumerable<BridgeLink> links, CancellationToken cancellationToken)
    {
        foreach (BridgeLink link in links)
        {
            ToolResult result = await Tool.RunAsync("ip", ["link", "set", link.Name, "nomaster", "down"], cancellationToken).ConfigureAwait(false);
            result.Require($"take {link.Name} off the bridge {link.Bridge}");
        }
    }

    /// <summary>Puts links back that still exist. Repeating it does no harm.</summary>
    public static async Task AttachAsync(IEnumerable<BridgeLink> links, CancellationToken cancellationToken)
    {
        foreach (BridgeLink link in links.Where(link => Directory.Exists(Path.Combine(LinkRoot, link.Name))))
        {
            ToolResult result = await Tool.RunAsync("ip", ["link", "set", link.Name, "master", link.Bridge, "up"], cancellationToken).ConfigureAwait(false);
            result.Require($"put {link.Name} back on the bridge {link.Bridge}");
        }
    }

    /// <summary>Does this process live in our own network namespace?</summary>
    public static bool SharesOurNetwork(int pid) =>
        File.ResolveLinkTarget("/proc/self/ns/net", returnFinalTarget: false)?.Name
        == File.ResolveLinkTarget(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/net"), returnFinalTarget: false)?.Name;

    /// <summary>The two ends of a pair name each other's index; both are checked, for an index means nothing in another namespace.</summary>
    private static BridgeLink? FindOuter(InnerLink inner)
    {
        foreach (string directory in Directory.EnumerateDirectories(LinkRoot))
        {
            if (Number(directory, "ifindex") != inner.PeerIndex || Number(directory, "iflink") != inner.Index) continue;
            return Directory.ResolveLinkTarget(Path.Combine(directory, "master"), returnFinalTarget: false) is { } bridge
                ? new BridgeLink(Path.GetFileName(directory), bridge.Name)
                : null;
        }

        return null;
    }

    private static int Number(string directory, string file)
    {
        try
        {
            return int.Parse(File.ReadAllText(Path.Combine(directory, file)), CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0; // a link that just went away
        }
    }

    /// <summary>A link as the container sees it, loopback left out.</summary>
    internal sealed record InnerLink(int Index, int PeerIndex)
    {
        /// <summary>Reads <c>ip -json link</c>.</summary>
        public static IReadOnlyList<InnerLink> Parse(string json)
        {
            using JsonDocument document = JsonDocument.Parse(json.Length == 0 ? "[]" : json);
            return
            [
                .. from link in document.RootElement.EnumerateArray()
                   where link.TryGetProperty("ifindex", out _) && link.TryGetProperty("link_type", out JsonElement type) && type.GetString() != "loopback"
                   select new InnerLink(
                       link.GetProperty("ifindex").GetInt32(),
                       link.TryGetProperty("link_index", out JsonElement peer) ? peer.GetInt32() : 0),
            ];
        }
    }
}
