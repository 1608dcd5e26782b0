using System.Diagnostics;

namespace P2PMigrate.Lab.Tests;

public sealed class CleanupTests : LabTest
{
    [Fact]
    public async Task A_disposed_lab_leaves_nothing_whatever_ran_in_it()
    {
        string name = NewName();
        string[] links = MachineLinks();
        VirtualLab lab = await VirtualLab.RaiseAsync(new LabOptions { Name = name });
        ContainerBundle container = await ContainerBundle.CreateAsync(lab.Source, new ContainerOptions { Name = "frozen", Arguments = ["sleep", "1000"] });
        await container.StartAsync();
        await lab.Source.ShellAsync("runc pause frozen; mkdir /mnt/more; mount -t tmpfs more /mnt/more; setsid sleep 1000 > /dev/null 2>&1 &");
        await lab.Core.StartAsync("sleep", ["1000"]);
        await lab.CaptureAsync(lab.Core);

        await lab.DisposeAsync();

        await Footprint.AssertGoneAsync(name);
        Assert.Equal(links, MachineLinks());
    }

    [Fact]
    public async Task A_lab_whose_owner_was_killed_is_removed_by_clean()
    {
        string name = NewName();
        await RaiseAndKillOwnerAsync(name);
        Assert.NotEmpty(Footprint.Of(name));

        string removed = await Tool.RequireAsync(Command, ["clean"]);

        await Footprint.AssertGoneAsync(name);
        // Another test that raises a lab at this moment may have been quicker.
        Assert.True(removed.Length == 0 || removed.Contains($"removed {name}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lab_whose_owner_was_killed_is_removed_when_the_next_one_is_raised()
    {
        string name = NewName();
        await RaiseAndKillOwnerAsync(name);

        await using VirtualLab next = await VirtualLab.RaiseAsync();

        await Footprint.AssertGoneAsync(name);
    }

    [Fact]
    public async Task A_lab_raised_by_the_command_outlives_it_until_it_is_taken_down()
    {
        string name = NewName();
        await Tool.RequireAsync(Command, ["up", "--name", name]);
        await Tool.RequireAsync(Command, ["clean"]);
        Assert.Equal("target\n", await Tool.RequireAsync(Command, ["exec", "--name", name, "target", "--", "hostname"]));

        await Tool.RequireAsync(Command, ["down", "--name", name]);

        await Footprint.AssertGoneAsync(name);
    }

    [Fact]
    public async Task A_raise_that_fails_leaves_nothing()
    {
        string name = NewName();
        BindMount impossible = new("/nowhere/at/all", "/mnt/x/y");

        LabException failure = await Assert.ThrowsAsync<LabException>(
            () => VirtualLab.RaiseAsync(new LabOptions { Name = name, Binds = [impossible] }));

        Assert.Contains("/nowhere/at/all", failure.Message, StringComparison.Ordinal);
        await Footprint.AssertGoneAsync(name);
    }

    [Fact]
    public async Task A_name_that_is_taken_is_refused()
    {
        await using LoneHost host = await LoneHost.RaiseAsync();

        LabException failure = await Assert.ThrowsAsync<LabException>(() => LoneHost.RaiseAsync(host.Host.Name));

        Assert.Contains("up already", failure.Message, StringComparison.Ordinal);
    }

    private static string Command => Path.Combine(AppContext.BaseDirectory, "p2pmigrate-lab");

    private static async Task RaiseAndKillOwnerAsync(string name)
    {
        var start = new ProcessStartInfo(Command, ["up", "--hold", "--name", name]) { RedirectStandardOutput = true };
        using Process owner = Process.Start(start)!;
        string? said = await owner.StandardOutput.ReadLineAsync().WaitAsync(Patience);
        Assert.Contains("is up", said, StringComparison.Ordinal);
        owner.Kill();
        await owner.WaitForExitAsync();
    }

    /// <summary>The machine's own interfaces, as far as a lab could have made them.</summary>
    private static string[] MachineLinks()
    {
        IEnumerable<string> own = LabMap.Of(LabPlan.Of(new LabOptions())).Links.SelectMany(link => (string[])[link.Down.Interface, link.Up.Interface]).Append(ContainerBridge.Name);
        return [.. Directory.GetFileSystemEntries("/sys/class/net").Select(path => Path.GetFileName(path)!).Where(own.Contains).Order()];
    }
}
