using System.Text.Json.Nodes;

namespace P2PMigrate.Lab;

/// <summary>
/// Writes a container's config.json: few mounts, for each tmpfs costs CRIU some milliseconds of freeze; no terminal; no
/// limits that the machine's cgroups cannot set.
/// </summary>
internal static class RuncConfig
{
    private const string OciVersion = "1.2.0";

    /// <summary>What container engines leave to root in a container.</summary>
    private static readonly string[] s_capabilities =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE",
        "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
    ];

    public static string For(ContainerOptions options, bool limitsMemory) => new JsonObject
    {
        ["ociVersion"] = OciVersion,
        ["process"] = Process(options),
        ["root"] = new JsonObject { ["path"] = "rootfs" },
        ["hostname"] = options.Name,
        ["mounts"] = Mounts(options),
        ["linux"] = Linux(options, limitsMemory),
    }.ToJsonString();

    private static JsonObject Process(ContainerOptions options) => new()
    {
        ["terminal"] = false,
        ["user"] = new JsonObject { ["uid"] = 0, ["gid"] = 0 },
        ["args"] = Strings(options.Arguments),
        ["env"] = Strings(
        [
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "PYTHONUNBUFFERED=1",
            .. options.Environment.Select(pair => $"{pair.Key}={pair.Value}"),
        ]),
        ["cwd"] = "/",
        ["capabilities"] = new JsonObject
        {
            ["bounding"] = Strings(s_capabilities),
            ["effective"] = Strings(s_capabilities),
            ["permitted"] = Strings(s_capabilities),
        },
        ["noNewPrivileges"] = true,
    };

    private static JsonArray Mounts(ContainerOptions options) =>
    [
        Mount("/proc", "proc", "proc"),
        Mount("/dev", "tmpfs", "tmpfs", "nosuid", "mode=755", "size=64k"),
        Mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
        Mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777"),
        Mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        .. options.Mounts.Select(bind => Mount(bind.Target, "bind", bind.Source, "rbind", bind.ReadOnly ? "ro" : "rw")),
    ];

    private static JsonObject Mount(string destination, string type, string source, params string[] options) => new()
    {
        ["destination"] = destination,
        ["type"] = type,
        ["source"] = source,
        ["options"] = Strings(options),
    };

    private static JsonObject Linux(ContainerOptions options, bool limitsMemory)
    {
        JsonArray namespaces = [.. ((string[])["pid", "ipc", "uts", "mount", "cgroup"]).Select(type => new JsonObject { ["type"] = type })];
        var network = new JsonObject { ["type"] = "network" };
        if (options.NetworkNamespacePath is { } path) network["path"] = path;
        namespaces.Add((JsonNode)network);

        var linux = new JsonObject { ["namespaces"] = namespaces };
        if (limitsMemory && options.MemoryLimit is { } limit)
            linux["resources"] = new JsonObject { ["memory"] = new JsonObject { ["limit"] = limit } };
        return linux;
    }

    private static JsonArray Strings(IEnumerable<string> values) => [.. values.Select(value => JsonValue.Create(value))];
}
