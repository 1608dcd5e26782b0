using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Tests.Criu;

public sealed class CriuConfigurationTests
{
    private const string Hook = "/some/dump-hook";

    [Fact]
    public void An_isolated_container_needs_no_lock() =>
        Assert.Contains("network-lock skip\n", CriuConfiguration.ForDump(new ToolVersion(4, 2, 1), isolated: true, hasNft: false, Hook));

    [Fact]
    public void A_container_on_a_network_is_locked_with_the_faster_tool_that_is_there()
    {
        Assert.Contains("network-lock nftables\n", CriuConfiguration.ForDump(new ToolVersion(4, 2, 1), isolated: false, hasNft: true, Hook));
        Assert.DoesNotContain("network-lock", CriuConfiguration.ForDump(new ToolVersion(4, 2, 1), isolated: false, hasNft: false, Hook));
    }

    [Fact]
    public void A_dump_is_held_by_its_hook() =>
        Assert.Contains($"action-script \"{Hook}\"\n", CriuConfiguration.ForDump(new ToolVersion(4, 2, 1), isolated: true, hasNft: true, Hook));

    [Fact]
    public void Options_of_the_command_line_become_lines() =>
        Assert.Equal(["page-server", "address 127.0.0.1", "port 2700"], CriuConfiguration.FromCommandLine(["--page-server", "--address", "127.0.0.1", "--port", "2700"]));

    [Fact]
    public void A_criu_that_would_crash_on_the_lock_option_is_spared_it() =>
        Assert.DoesNotContain("network-lock", CriuConfiguration.ForDump(new ToolVersion(4, 1, 1), isolated: true, hasNft: true, Hook));
}
