using P2PMigrate.Containers.Lxc;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Tests.Lxc;

/// <summary>What the script that LXC takes for CRIU makes of LXC's command line.</summary>
public sealed class CriuStandInTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Options_that_lxc_gets_wrong_are_put_right_and_the_others_kept()
    {
        using var directory = new ScratchDirectory();
        Directory.CreateSymbolicLink(Path.Combine(directory.Path, "link"), "/usr");
        string[] words = await WordsAsync(
            directory.Path, "restore", "--tcp-established", "--cgroup-root", "cpu,memory:/lxc.payload.c1", "--root", "/a b", "--ext-mount-map", "console:",
            "--ext-mount-map", $"lib:{directory.Path}/link", "--external", "veth[eth0]:v1@br0");
        Assert.Equal(
            [
                "restore", "--tcp-established", "--cgroup-root", ":/lxc.payload.c1", "--root", "/a b", "--ext-mount-map", "console:", "--ext-mount-map", "lib:/usr",
                "--external", "veth[eth0]:v1@br0", "--work-dir", directory.Path, "--log-file", "restore.log", "-v4",
            ],
            words);
    }

    [Fact]
    public async Task Without_apparmor_in_the_kernel_no_profile_is_asked_for()
    {
        Assert.SkipWhen(Directory.Exists("/sys/kernel/security/apparmor"), "This kernel has AppArmor.");
        using var directory = new ScratchDirectory();
        string[] words = await WordsAsync(directory.Path, "restore", "--lsm-profile", "apparmor:unconfined", "--external", "apparmor:unconfined", "--root", "/x");
        Assert.Equal(["restore", "--root", "/x"], words[..3]);
    }

    [Fact]
    public async Task Questions_for_the_version_go_through_as_they_are()
    {
        using var directory = new ScratchDirectory();
        Assert.Equal(["--version"], await WordsAsync(directory.Path, "--version"));
    }

    /// <summary>With a program in CRIU's place that prints a word a line.</summary>
    private static async Task<string[]> WordsAsync(string directory, params string[] arguments)
    {
        string printing = Path.Combine(directory, "printing");
        await File.WriteAllTextAsync(printing, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n", Token);
        File.SetUnixFileMode(printing, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        string programs = CriuStandIn.Write(directory, printing, Path.Combine(directory, "criu.conf"));
        ToolResult result = await Tool.RunAsync(Path.Combine(programs, "criu"), arguments, Token);
        return result.Require("run the stand-in").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
