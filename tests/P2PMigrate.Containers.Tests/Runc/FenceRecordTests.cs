using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Migration.Runtime;

namespace P2PMigrate.Containers.Tests.Runc;

public sealed class FenceRecordTests
{
    [Fact]
    public void A_record_is_read_back_in_the_same_boot_only()
    {
        using var directory = new ScratchDirectory();
        Assert.Null(FenceRecord.Load(directory.Path));

        FenceRecord record = Sample(WorkRecord.CurrentBootId);
        record.Save(directory.Path);
        FenceRecord? loaded = FenceRecord.Load(directory.Path);
        Assert.Equal(record.Init, loaded?.Init);
        Assert.Equal(record.Links, loaded?.Links);
        Assert.Equal(record.LinkRemaps, loaded?.LinkRemaps);

        Sample("another boot").Save(directory.Path);
        Assert.Null(FenceRecord.Load(directory.Path));
        FenceRecord.Remove(directory.Path);
        Assert.Empty(Directory.GetFiles(directory.Path));
    }

    [Fact]
    public void A_record_cut_off_by_a_crash_is_named_and_left_for_a_person()
    {
        using var directory = new ScratchDirectory();
        File.WriteAllText(Path.Combine(directory.Path, "fence.json"), "{\"Container\":\"we");
        File.WriteAllText(Path.Combine(directory.Path, "restore.json"), "");

        Assert.Contains("fence.json", Assert.Throws<ContainerException>(() => FenceRecord.Load(directory.Path)).Message, StringComparison.Ordinal);
        Assert.Contains("restore.json", Assert.Throws<ContainerException>(() => RestoreRecord.Load(directory.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_cut_off_before_the_machine_booted_means_nothing()
    {
        using var directory = new ScratchDirectory();
        foreach (string name in (string[])["fence.json", "restore.json"])
        {
            string path = Path.Combine(directory.Path, name);
            File.WriteAllText(path, "");
            File.SetLastWriteTimeUtc(path, WorkRecord.BootTime.AddSeconds(-1));
        }

        Assert.Null(FenceRecord.Load(directory.Path));
        Assert.Null(RestoreRecord.Load(directory.Path));
    }

    [Fact]
    public void A_process_is_not_mistaken_for_another_with_its_number()
    {
        ProcessIdentity self = ProcessIdentity.Of(Environment.ProcessId)!.Value;
        Assert.True(self.IsAlive);
        Assert.False((self with { StartTicks = self.StartTicks + 1 }).IsAlive);
        Assert.Null(ProcessIdentity.Of(int.MaxValue));
        Assert.NotNull(ProcessIdentity.ParentOf(self.Pid));
    }

    private static FenceRecord Sample(string bootId) => new()
    {
        Container = "web",
        Created = "2026-01-01T00:00:00Z",
        BundlePath = "/b",
        CgroupPath = "/sys/fs/cgroup/web",
        InitPid = 7,
        InitStartTicks = 99,
        BootId = bootId,
        Links = [new BridgeLink("veth-web", "br0")],
        Isolated = true,
        LinkRemaps = ["/link_remap.1"],
    };
}
