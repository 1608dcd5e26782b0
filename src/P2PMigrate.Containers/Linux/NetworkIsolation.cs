using System.Globalization;
using System.Text.Json;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Linux;

/// <summary>The host's end of a container's veth pair, a port of a bridge.</summary>
internal sealed record BridgeLink(string Name, string Bridge)
{
    /// <summary>The link's own index and that of its inner end when it was found: tells it from a later one of the same name.</summary>
    public int Index { get; init; }

    public int PeerIndex { get; init; }

    /// <summary>Was it off its bridge when it was found, as a container that went away leaves it?</summary>
    public bool IsOff { get; init; }
}

/// <summary>
/// How a container can be cut off from the network without a firewall: its veth's outer end is taken off the bridge. Packets for
/// it are lost then as on a broken cable, so no kernel acknowledges data that the frozen container will never read, and none
/// refuses a connection that is not restored yet. A link that is off carries its bridge's name in its alias, so that a container
/// which comes back one day finds its place.
/// </summary>
/// <param name="Links">The outer ends to take off (or that are off already).</param>
/// <param name="Complete">Is that all the network it has? Then CRIU need not lock anything.</param>
internal sealed record NetworkIsolation(IReadOnlyList<BridgeLink> Links, bool Complete)
{
    private const string LinkRoot = "/sys/class/net";
    private const string AliasPrefix = "p2pmigrate:";

    /// <summary>Finds the links of the container that <paramref name="initPid"/> is the first process of. Changes nothing.</summary>
    public static Task<NetworkIsolation> FindAsync(int initPid, CancellationToken cancellationToken)
    {
        string path = string.Create(CultureInfo.InvariantCulture, $"/proc/{initPid}/ns/net");
        return SharesOurNetwork(initPid)
            ? Task.FromResult(new NetworkIsolation([], Complete: false))
            : FindAsync(path, cancellationToken);
    }

    /// <summary>Finds the links of a network namespace, which is not our own. Changes nothing.</summary>
    public static async Task<NetworkIsolation> FindAsync(string namespacePath, CancellationToken cancellationToken)
    {
        ToolResult listed = await Tool.RunAsync("nsenter", [$"--net={namespacePath}", "ip", "-json", "link", "show", "up"], cancellationToken).ConfigureAwait(false);
        if (!listed.Succeeded) return new NetworkIsolation([], Complete: false);

        BridgeLink?[] outer = [.. InnerLink.Parse(listed.Output).Select(FindOuter)];
        return new NetworkIsolation([.. outer.OfType<BridgeLink>()], Complete: !outer.Contains(null));
    }

    /// <summary>Is each of these links still the one that was found, and of the same bridge? Read from sysfs, in microseconds.</summary>
    public static bool AreCurrent(IEnumerable<BridgeLink> links) => links.All(link =>
        Path.Combine(LinkRoot, link.Name) is var directory && Directory.Exists(directory)
        && Read(directory, "ifindex") == Text(link.Index) && Read(directory, "iflink") == Text(link.PeerIndex) && BridgeOf(directory) == link.Bridge && IsOff(directory) == link.IsOff);

    /// <summary>
    /// Names and addresses of all interfaces that a process sees, as a text to be compared with a later one: a container that was put on another network meanwhile
    /// is not isolated by what was found before. Empty when the process is gone.
    /// </summary>
    public static string Fingerprint(int pid)
    {
        try
        {
            string root = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/net/");
            IEnumerable<string> names = File.ReadLines(root + "dev").Skip(2).Select(line => line[..line.IndexOf(':', StringComparison.Ordinal)]);
            return string.Join('\n', [.. names, File.ReadAllText(root + "fib_trie"), File.Exists(root + "if_inet6") ? File.ReadAllText(root + "if_inet6") : ""]);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>The number of a network namespace, which no other of this boot has at the same time; zero when there is none at this path.</summary>
    public static ulong NamespaceNumber(string namespacePath) =>
        Native.StatX(Native.CurrentDirectory, namespacePath, 0, Native.BasicStats, out Native.StatXResult facts) == 0 ? facts.Inode : 0;

    /// <summary>
    /// Takes every link off its bridge, and down unless <paramref name="staysUp"/>. On failure those already taken are put back by the caller's undo.
    /// </summary>
    public static async Task DetachAsync(IEnumerable<BridgeLink> links, bool staysUp, CancellationToken cancellationToken)
    {
        foreach (BridgeLink link in links)
        {
            if (BridgePort.TryDetach(link, AliasPrefix + link.Bridge, staysUp)) continue;
            ToolResult result = await SetAsync(link, ["nomaster", staysUp ? "up" : "down", "alias", AliasPrefix + link.Bridge], cancellationToken).ConfigureAwait(false);
            result.Require($"take {link.Name} off the bridge {link.Bridge}");
        }
    }

    /// <summary>The same, down, before a copy is killed that must not be heard any more; as far as it can be done.</summary>
    public static async Task TryDetachAsync(IEnumerable<BridgeLink> links, CancellationToken cancellationToken)
    {
        foreach (BridgeLink link in links)
        {
            try
            {
                await DetachAsync([link], staysUp: false, cancellationToken).ConfigureAwait(false);
            }
            catch (ContainerException)
            {
                // a link that is gone
            }
        }
    }

    /// <summary>
    /// Puts links back that still exist, each on its own, and returns why one could not be put back, or null: a container must never stay stopped for that.
    /// Repeating it does no harm.
    /// </summary>
    public static async Task<string?> TryAttachAsync(IEnumerable<BridgeLink> links, CancellationToken cancellationToken)
    {
        string? reason = null;
        foreach (BridgeLink link in links.Where(link => Directory.Exists(Path.Combine(LinkRoot, link.Name))))
        {
            if (BridgePort.TryAttach(link)) continue;
            try
            {
                ToolResult result = await SetAsync(link, ["master", link.Bridge, "up", "alias", ""], cancellationToken).ConfigureAwait(false);
                result.Require($"put {link.Name} back on the bridge {link.Bridge}");
            }
            catch (ContainerException failure)
            {
                reason ??= failure.Message;
            }
        }

        return reason;
    }

    /// <summary>Does this process live in our own network namespace?</summary>
    public static bool SharesOurNetwork(int pid) =>
        new FileInfo("/proc/self/ns/net").LinkTarget == new FileInfo(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/ns/net")).LinkTarget;

    private static Task<ToolResult> SetAsync(BridgeLink link, string[] changes, CancellationToken cancellationToken) =>
        Tool.RunAsync("ip", ["link", "set", "dev", link.Name, .. changes], cancellationToken);

    /// <summary>The two ends of a pair name each other's index; both are checked, for an index means nothing in another namespace.</summary>
    private static BridgeLink? FindOuter(InnerLink inner) => (
        from directory in Directory.EnumerateDirectories(LinkRoot)
        where Read(directory, "ifindex") == Text(inner.PeerIndex) && Read(directory, "iflink") == Text(inner.Index)
        let bridge = BridgeOf(directory)
        where bridge is not null
        select new BridgeLink(Path.GetFileName(directory), bridge) { Index = inner.PeerIndex, PeerIndex = inner.Index, IsOff = IsOff(directory) }).FirstOrDefault();

    private static bool IsOff(string linkDirectory) => new DirectoryInfo(Path.Combine(linkDirectory, "master")).LinkTarget is null;

    private static string? BridgeOf(string linkDirectory)
    {
        if (new DirectoryInfo(Path.Combine(linkDirectory, "master")).LinkTarget is { } bridge) return Path.GetFileName(bridge);
        string alias = Read(linkDirectory, "ifalias");
        return alias.StartsWith(AliasPrefix, StringComparison.Ordinal) ? alias[AliasPrefix.Length..] : null;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Read(string directory, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(directory, file)).Trim();
        }
        catch (IOException)
        {
            return ""; // a link that just went away
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
