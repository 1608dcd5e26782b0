using System.Text;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Volumes;

namespace P2PMigrate.Containers.Lxc;

/// <summary>An interface that LXC makes for a container.</summary>
internal sealed record LxcInterface(string Index, string Type, string? Link);

/// <summary>
/// A container's configuration file, as far as migration looks into it; what it includes is not looked into. The target's comes from the peer: lines that are no
/// <c>key = value</c> are passed over. Everything that is not looked at is kept as it is.
/// </summary>
internal sealed class LxcConfiguration : IVolumeConfiguration
{
    private const string RootPathKey = "lxc.rootfs.path";
    private const string MountKey = "lxc.mount.entry";
    private const string InterfacePrefix = "lxc.net.";
    private const string HookPrefix = "lxc.hook.";

    private readonly string[] _lines;
    private readonly List<(string Key, string Value)> _items;

    private LxcConfiguration(string[] lines) => (_lines, _items) = (lines, [.. lines.Select(Item).OfType<(string, string)>()]);

    /// <summary>Reads a configuration; null when it is no text.</summary>
    public static LxcConfiguration? Parse(ReadOnlySpan<byte> text) =>
        System.Text.Unicode.Utf8.IsValid(text) && !text.Contains((byte)0) ? new LxcConfiguration(Encoding.UTF8.GetString(text).Split('\n')) : null;

    /// <summary>Files that it includes.</summary>
    public IEnumerable<string> Includes => ValuesOf("lxc.include");

    /// <summary>Does it run programs of the host when the container starts or stops?</summary>
    public bool HasHooks => _items.Any(item => item.Key.StartsWith(HookPrefix, StringComparison.Ordinal));

    /// <summary>Has the container a user namespace of its own?</summary>
    public bool HasIdMap => ValuesOf("lxc.idmap").Any();

    /// <summary>The interfaces, by their numbers.</summary>
    public IReadOnlyList<LxcInterface> Interfaces =>
    [
        .. from item in _items
           where item.Key.StartsWith(InterfacePrefix, StringComparison.Ordinal) && item.Key.EndsWith(".type", StringComparison.Ordinal)
           let index = item.Key[InterfacePrefix.Length..^".type".Length]
           select new LxcInterface(index, item.Value, ValuesOf($"{InterfacePrefix}{index}.link").LastOrDefault()),
    ];

    /// <inheritdoc/>
    public IReadOnlyList<BindMount> BindMounts => [.. ValuesOf(MountKey).Select(LxcMount.Parse).OfType<BindMount>()];

    /// <inheritdoc/>
    public byte[] WithSources(IReadOnlyDictionary<string, string> sources) => Encoding.UTF8.GetBytes(string.Join('\n', _lines.Select(line =>
        Item(line) is (MountKey, var entry) && LxcMount.Parse(entry) is { } mount && sources.TryGetValue(mount.Destination, out string? source) ? $"{MountKey} = {LxcMount.WithSource(entry, source)}" : line)));

    /// <summary>The same configuration for a root file system at another place, under a headline.</summary>
    public byte[] WithRootPath(string rootPath, string headline) => Encoding.UTF8.GetBytes(string.Join('\n',
        [headline, .. _lines.Where(line => Item(line) is not ((RootPathKey, _))), $"{RootPathKey} = dir:{rootPath}"]) + "\n");

    private IEnumerable<string> ValuesOf(string key) => _items.Where(item => item.Key == key).Select(item => item.Value);

    private static (string Key, string Value)? Item(string line)
    {
        string text = line.Trim();
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        return text.StartsWith('#') || equals < 0 ? null : (text[..equals].TrimEnd(), text[(equals + 1)..].TrimStart());
    }
}

/// <summary>What a container sees of its machine, in fstab's notation.</summary>
internal static class LxcMount
{
    /// <summary>The entry, or null when it is no bind mount.</summary>
    public static BindMount? Parse(string entry) =>
        Columns(entry) is [var source, var destination, _, var options, ..] && options.Split(',').Any(option => option is "bind" or "rbind")
            ? new BindMount(Mount.Unescape(source), Mount.Unescape(destination).TrimStart('/')) { MapsOwners = options.Split(',').Any(option => option.StartsWith("idmap=", StringComparison.Ordinal)) } : null;

    /// <summary>The entry with another source.</summary>
    public static string WithSource(string entry, string source) => string.Join(' ', [Mount.Escape(source), .. Columns(entry)[1..]]);

    private static string[] Columns(string entry) => entry.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
}
