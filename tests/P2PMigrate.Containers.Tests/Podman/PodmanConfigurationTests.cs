using System.Text;
using System.Text.Json.Nodes;
using P2PMigrate.Containers.Podman;
using P2PMigrate.Containers.Runc;
using P2PMigrate.Containers.Volumes;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Podman;

public sealed class PodmanConfigurationTests
{
    private const string Created = """{ "name": "web-clone", "image": "0a1b", "command": ["serve"], "netns": { "nsmode": "private" } }""";

    private static readonly string s_here = new('a', 64), s_there = new('b', 64);

    private static readonly string s_bundle = $$"""
        {
          "hostname": "harbour",
          "process": { "terminal": false },
          "root": { "path": "/var/lib/containers/storage/overlay/0a1b/merged" },
          "mounts": [
            { "destination": "/etc/hosts", "type": "bind", "source": "/run/containers/{{s_here}}/userdata/hosts" },
            { "destination": "/vol", "type": "bind", "source": "/srv/vol" },
            { "destination": "/proc", "type": "proc", "source": "proc" }
          ],
          "linux": { "cgroupsPath": "/libpod_parent/libpod-{{s_here}}", "namespaces": [{ "type": "network", "path": "/run/netns/web" }] },
          "annotations": { "io.container.manager": "libpod" }
        }
        """;

    [Fact]
    [Trait("Spec", "MIG-182")]
    public void The_target_creates_it_from_a_directory_and_with_all_that_Podman_leaves_out()
    {
        JsonNode create = JsonNode.Parse(Sent().CreationOf("web", "/data/web/rootfs"))!;
        Assert.Equal(["command", "netns", "hostname", "cap_drop", "name", "rootfs"], ((JsonObject)create).Select(member => member.Key));
        Assert.Equal(("web", "/data/web/rootfs", "harbour"), ((string?)create["name"], (string?)create["rootfs"], (string?)create["hostname"]));
        Assert.Equal(("path", "/run/netns/web"), ((string?)create["netns"]!["nsmode"], (string?)create["netns"]!["value"]));
        Assert.Equal("CAP_NET_RAW", (string?)create["cap_drop"]![0]);
    }

    [Fact]
    [Trait("Spec", "MIG-182")]
    public void The_number_that_it_has_there_takes_the_place_of_the_one_that_it_had()
    {
        string text = Encoding.UTF8.GetString(Sent().BundleOf(s_there, "/data/web/rootfs", "/jobs/1/criu.conf"));
        Assert.DoesNotContain(s_here, text, StringComparison.Ordinal);
        JsonNode bundle = JsonNode.Parse(text)!;
        Assert.Equal(("/data/web/rootfs", "/jobs/1/criu.conf"), ((string?)bundle["root"]!["path"], (string?)bundle["annotations"]!["org.criu.config"]));
        Assert.Equal($"/libpod_parent/libpod-{s_there}", (string?)bundle["linux"]!["cgroupsPath"]);
    }

    [Fact]
    public void What_Podman_sees_to_itself_is_not_looked_for_at_the_target()
    {
        Assert.True(BundleConfiguration.TryParse(Sent().PlainBundle, out BundleConfiguration? plain));
        Assert.Equal([new BindMount("/srv/vol", "/vol")], plain.BindMounts);
        Assert.Null(plain.Manager);
    }

    [Fact]
    [Trait("Spec", "MIG-186")]
    public void A_volume_that_goes_along_is_a_mount_for_both_who_are_told_of_it()
    {
        string created = """{ "netns": { "nsmode": "none" }, "volumes": [{ "Name": "store", "Dest": "/vol", "Options": ["rbind"] }, { "Name": "other", "Dest": "/other" }], "mounts": [{ "destination": "/tmp", "type": "tmpfs" }] }""";
        Assert.True(PodmanConfiguration.TryParse(PodmanConfiguration.Compose(Known(), Encoding.UTF8.GetBytes(s_bundle), created), out PodmanConfiguration? sent));
        Assert.True(PodmanConfiguration.TryParse(sent.WithSources(new Dictionary<string, string> { ["/vol"] = "rootfs/vol" }), out PodmanConfiguration? changed));
        Assert.Equal([new BindMount("rootfs/vol", "/vol")], changed.BindMounts);
        JsonNode create = JsonNode.Parse(changed.CreationOf("web", "/data/web/rootfs"))!;
        Assert.Equal("other", (string?)Assert.Single(create["volumes"]!.AsArray())!["Name"]);
        Assert.Equal("""{"type":"bind","destination":"/vol","source":"rootfs/vol","options":["rbind"]}""", create["mounts"]![1]!.ToJsonString());
    }

    [Fact]
    [Trait("Spec", "MIG-184")]
    public void A_network_of_Podmans_is_asked_for_with_the_addresses_that_the_container_has_and_not_by_its_number_there()
    {
        PodmanContainer known = Known() with
        {
            HostConfig = new PodmanHostSettings { NetworkMode = "bridge" },
            NetworkSettings = new PodmanNetworkSettings { Networks = new Dictionary<string, PodmanAddresses> { ["podman"] = new() { Address = "10.88.0.7", MacAddress = "02:00:00:00:00:07" } } },
        };
        string created = $$"""{ "netns": { "nsmode": "bridge" }, "Networks": { "podman": { "aliases": ["{{s_here[..12]}}", "web"], "interface_name": "eth0" } }, "portmappings": [{ "host_port": 8080 }] }""";
        Assert.True(PodmanConfiguration.TryParse(PodmanConfiguration.Compose(known, Encoding.UTF8.GetBytes(s_bundle), created), out PodmanConfiguration? sent));
        Assert.True(sent.HasNetworkOfPodman);
        Assert.Equal("crun", sent.Runtime);
        (string name, IReadOnlyList<string> addresses) = Assert.Single(sent.Networks);
        Assert.Equal(("podman", "10.88.0.7"), (name, Assert.Single(addresses)));
        JsonNode network = JsonNode.Parse(sent.CreationOf("web", "/data/web/rootfs"))!["Networks"]!["podman"]!;
        Assert.Equal(("02:00:00:00:00:07", "eth0", "web"), ((string?)network["static_mac"], (string?)network["interface_name"], (string?)Assert.Single(network["aliases"]!.AsArray())));
        Assert.True(BundleConfiguration.TryParse(sent.PlainBundle, out BundleConfiguration? plain));
        Assert.True(plain is { HasNetworkNamespace: true, NetworkNamespacePath: null });
    }

    [Theory]
    [Trait("Spec", "MIG-182")]
    [InlineData("""{ "netns": { "nsmode": "none" } }""", true)]
    [InlineData("""{ "netns": { "nsmode": "bridge" }, "Networks": { "podman": { "static_ips": ["10.88.0.2", "fd00::2"] } } }""", true)]
    [InlineData("""{ "netns": { "nsmode": "private" } }""", false)]
    [InlineData("""{ "netns": { "nsmode": "bridge" } }""", false)]
    [InlineData("""{ "netns": { "nsmode": "bridge" }, "Networks": {} }""", false)]
    [InlineData("""{ "netns": { "nsmode": "none" }, "Networks": { "podman": { "static_ips": ["10.88.0.2"] } } }""", false)]
    [InlineData("""{ "netns": { "nsmode": "bridge" }, "Networks": { "podman": {} } }""", false)]
    [InlineData("""{ "netns": { "nsmode": "bridge" }, "Networks": { "podman": { "static_ips": ["next"] } } }""", false)]
    [InlineData("""{ "netns": { "nsmode": "bridge" }, "Networks": { "--help": { "static_ips": ["10.88.0.2"] } } }""", false)]
    [InlineData("""{ "netns": { "nsmode": "\ud800" } }""", false)]
    public void What_it_says_of_networks_is_complete_and_sensible(string create, bool taken) =>
        Assert.Equal(taken, PodmanConfiguration.TryParse(Encoding.UTF8.GetBytes($$"""{ "id": "{{s_here}}", "runtime": "crun", "oci": {}, "create": {{create}} }"""), out _));

    [Theory]
    [Trait("Spec", "MIG-184")]
    [InlineData("10.88.0.2", "bridge", "", FindingSeverity.Good, "is free")]
    [InlineData("10.88.0.7", "bridge", "", FindingSeverity.Blocker, "podman stop db")]
    [InlineData("10.88.0.1", "bridge", "", FindingSeverity.Blocker, "that of this machine")]
    [InlineData("10.89.0.2", "bridge", "", FindingSeverity.Blocker, "podman network create --subnet")]
    [InlineData("10.88.0.2", "macvlan", "", FindingSeverity.Blocker, "ip netns add")]
    [InlineData("10.88.0.2", "bridge", "unmanaged", FindingSeverity.Blocker, "ip netns add")]
    public void A_network_takes_it_that_is_a_bridge_of_Podmans_with_its_address_free(string address, string driver, string mode, FindingSeverity severity, string words)
    {
        var network = new PodmanNetwork
        {
            Name = "podman", Driver = driver, Options = mode.Length == 0 ? null : new Dictionary<string, string> { ["mode"] = mode },
            Subnets = [new PodmanSubnet { Range = "10.88.0.0/16", Gateway = "10.88.0.1" }],
            Containers = new Dictionary<string, PodmanNeighbour>
            {
                [s_there] = new() { Name = "db", Interfaces = new Dictionary<string, PodmanInterface> { ["eth0"] = new() { Subnets = [new PodmanSubnet { Address = "10.88.0.7/16" }] } } },
            },
        };
        Finding finding = Assert.Single(PodmanNetworkCheck.AtTarget("podman", [address], network));
        Assert.Equal(severity, finding.Severity);
        Assert.Contains(words, finding.Message + finding.Remedy, StringComparison.Ordinal);
        Assert.Equal(FindingSeverity.Blocker, Assert.Single(PodmanNetworkCheck.AtTarget("podman", [address], null)).Severity);
        Finding alone = Assert.Single(PodmanNetworkCheck.ForOne("podman", [address], network)); // of one that runs nowhere else, the kind does not matter
        Assert.Equal(driver == "bridge" && mode.Length == 0 ? finding : finding with { Severity = FindingSeverity.Good, Message = alone.Message, Remedy = null }, alone);
        Assert.Equal(FindingSeverity.Blocker, Assert.Single(PodmanNetworkCheck.ForOne("podman", [address], null)).Severity);
    }

    [Fact]
    [Trait("Spec", "MIG-184")]
    public void A_published_port_on_which_somebody_listens_and_an_address_of_another_machine_are_found()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        int port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
        Assert.Contains("ss -lnp", new PodmanPort("", port, 1, "tcp").Look()?.Remedy, StringComparison.Ordinal);
        Assert.Contains("ss -lnp", new PodmanPort("127.0.0.1", port - 2, 4, "tcp,udp").Look()?.Remedy, StringComparison.Ordinal);
        Assert.Contains("192.0.2.9", new PodmanPort("192.0.2.9", port, 1, "tcp").Look()?.Message, StringComparison.Ordinal);
        listener.Stop();
        Assert.Null(new PodmanPort("", port, 1, "tcp").Look());
    }

    [Fact]
    [Trait("Spec", "MIG-182")]
    public void Every_cut_and_whatever_is_of_another_form_is_refused()
    {
        byte[] whole = Bytes();
        for (int length = 0; length < whole.Length; length++) Assert.False(PodmanConfiguration.TryParse(whole.AsSpan(0, length), out _));
        string[] odd =
        [
            "[]", "null", "{}", $$"""{ "id": "{{s_here}}", "runtime": "runc", "oci": {} }""", $$"""{ "id": "../{{s_here[3..]}}", "runtime": "runc", "oci": {}, "create": {} }""", $$"""{ "id": "{{s_here}}", "runtime": "/x/runc", "oci": {}, "create": { "netns": { "nsmode": "none" } } }""", $$"""{ "id": 7, "runtime": "runc", "oci": {}, "create": {} }""",
            $$"""{ "id": "{{s_here.ToUpperInvariant()}}", "runtime": "runc", "oci": {}, "create": {} }""", $$"""{ "id": "{{s_here}}", "runtime": "runc", "oci": [], "create": {} }""", $$"""{ "id": "{{s_here}}", "oci": {}, "create": {} }""", $$"""{ "id": "{{s_here}}", "runtime": {}, "oci": {}, "create": {} }""", $$"""{ "id": "{{s_here}}", "id": "{{s_here}}", "runtime": "runc", "oci": {}, "create": {} }""",
        ];
        Assert.All(odd, text => Assert.False(PodmanConfiguration.TryParse(Encoding.UTF8.GetBytes(text), out _)));
        Assert.True(PodmanConfiguration.TryParse(Encoding.UTF8.GetBytes($$"""{ "id": "{{s_here}}", "runtime": "runc", "oci": { "root": 3, "mounts": 4, "annotations": [] }, "create": { "netns": { "nsmode": "none" } } }"""), out PodmanConfiguration? bare));
        Assert.Contains("/r", Encoding.UTF8.GetString(bare.BundleOf(s_there, "/r", "/c")), StringComparison.Ordinal);
        Assert.NotEmpty(bare.PlainBundle);
    }

    [Theory]
    [InlineData("always", "ns:/run/netns/web", "runc", "", "restart")]
    [InlineData("no", "pasta", "runc", "", "network")]
    [InlineData("", "bridge", "youki", "", "runtime")]
    [InlineData("no", "host", "runc", "0c1d", "pod")]
    [Trait("Spec", "MIG-183")]
    public void What_Podman_does_for_it_that_cannot_move_is_found(string restart, string network, string runtime, string pod, string subject)
    {
        PodmanContainer known = Known() with { Runtime = runtime, Pod = pod, HostConfig = new PodmanHostSettings { NetworkMode = network, RestartPolicy = new PodmanRestartPolicy { Name = restart } } };
        Finding blocker = Assert.Single(new PodmanCheck(new PodmanTool(new PodmanOptions()), Described()).AtSource(known), finding => finding.Severity == FindingSeverity.Blocker);
        Assert.Equal(subject, blocker.Subject);
        Assert.NotNull(blocker.Remedy);
    }

    private static ContainerDescription Described() => new()
    {
        Name = "web", Runtime = "podman", BundlePath = "/data/web", RootPath = "/data/web/rootfs", Configuration = Bytes(), InitPid = int.MaxValue,
    };

    private static PodmanContainer Known() => new() { Id = s_here, Name = "web", Runtime = "/usr/bin/crun", HostConfig = new PodmanHostSettings { CapDrop = ["CAP_NET_RAW"] } };

    private static byte[] Bytes() => PodmanConfiguration.Compose(Known(), Encoding.UTF8.GetBytes(s_bundle), Created);

    private static PodmanConfiguration Sent()
    {
        Assert.True(PodmanConfiguration.TryParse(Bytes(), out PodmanConfiguration? configuration));
        return configuration;
    }
}
