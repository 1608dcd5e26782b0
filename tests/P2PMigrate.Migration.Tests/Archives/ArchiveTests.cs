using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Migration.Tests.Archives;

/// <summary>A container goes into a file on one machine and comes out of it on another.</summary>
public sealed class ArchiveTests
{
    [Fact]
    [Trait("Spec", "ARC-21")]
    public async Task A_container_comes_out_of_an_archive_as_it_went_in_and_is_gone_where_it_was()
    {
        await using var rig = new ArchiveRig();
        long counter = 0;
        Manifest? frozen = null;
        rig.AtStep("source:journal:Destroying", () =>
        {
            Assert.True(File.Exists(rig.File), "the archive has its name");
            (counter, frozen) = (rig.World.SourceCopy!.Counter, MigrationRig.ManifestOf(rig.World.SourceCopy.Root));
        });

        var written = Assert.IsType<CheckpointCompleted>(await rig.CheckpointAsync());
        Assert.Null(rig.World.SourceCopy);
        RestoreCompleted restored = await rig.RestoredAsync();

        Assert.Equal(CopyState.Running, rig.World.TargetCopy!.State);
        Assert.Equal(counter, rig.World.TargetCopy.Counter);
        Assert.Empty(Manifest.Compare(frozen!, MigrationRig.ManifestOf(rig.World.TargetCopy.Root)));
        Assert.Equal(600 * 4096, written.MemoryBytes);
        Assert.Equal(new FileInfo(rig.File).Length, written.ArchiveBytes);
        Assert.Equal((written.MemoryBytes, false), (restored.MemoryBytes, restored.WasLeftRunning));
        Assert.Empty(rig.World.World.Violations);
        Assert.Empty(rig.World.Leftovers());
    }

    [Fact]
    [Trait("Spec", "ARC-23")]
    public async Task A_container_that_is_left_running_goes_on_and_its_archive_says_so()
    {
        await using var rig = new ArchiveRig();

        var written = Assert.IsType<CheckpointCompleted>(await rig.CheckpointAsync(isLeftRunning: true));

        Assert.Equal(CopyState.Running, rig.World.SourceCopy!.State);
        Assert.True(written.IsLeftRunning && written.Frozen > TimeSpan.Zero);
        Assert.Empty(rig.World.Leftovers());
        rig.World.SourceCopy.Become(CopyState.Gone); // A person ends it, so that no two run.
        Assert.True((await rig.RestoredAsync()).WasLeftRunning);
    }

    [Fact]
    public async Task An_archive_goes_through_a_pipe()
    {
        await using var rig = new ArchiveRig();
        var pipe = new System.IO.Pipelines.Pipe();
        Task<MigrationOutcome> writing = Task.Run(async () =>
        {
            await using Stream end = pipe.Writer.AsStream();
            return await rig.CheckpointAsync(new CheckpointOptions { Output = end, IsLeftRunning = true });
        });
        rig.AtStep("target:restore", () => rig.World.SourceCopy!.Become(CopyState.Gone));

        await rig.RestoredAsync(pipe.Reader.AsStream());

        Assert.IsType<CheckpointCompleted>(await writing);
        Assert.Equal(CopyState.Running, rig.World.TargetCopy!.State);
    }

    [Fact]
    public async Task A_file_that_is_there_is_neither_written_over_nor_a_reason_to_freeze()
    {
        await using var rig = new ArchiveRig();
        await File.WriteAllTextAsync(rig.File, "precious", TestContext.Current.CancellationToken);

        var failed = Assert.IsType<MigrationFailed>(await rig.CheckpointAsync());

        Assert.Contains("is there already", failed.Reason, StringComparison.Ordinal);
        Assert.Equal(ContainerSide.Source, failed.RunningAt);
        Assert.Equal("precious", await File.ReadAllTextAsync(rig.File, TestContext.Current.CancellationToken));
        Assert.DoesNotContain(rig.World.Steps, step => step.StartsWith("source:freeze", StringComparison.Ordinal));
        Assert.Empty(rig.World.Leftovers());
    }

    [Theory]
    [InlineData("rootfs")]
    [InlineData("state")]
    [InlineData("link")]
    [Trait("Spec", "ARC-21")]
    public async Task An_archive_is_not_put_where_it_goes_with_the_container(string where)
    {
        await using var rig = new ArchiveRig();
        string root = rig.World.SourceCopy!.Root, state = rig.World.Source.Environment.State.Root;
        Directory.CreateDirectory(state);
        string link = Path.Combine(Path.GetDirectoryName(rig.File)!, "link");
        File.CreateSymbolicLink(link, root);
        string place = where switch { "rootfs" => root, "state" => state, _ => link };

        var failed = Assert.IsType<MigrationFailed>(await rig.CheckpointAsync(new CheckpointOptions { Path = Path.Combine(place, "web.p2pm") }));

        Assert.Contains("choose a place elsewhere", failed.Reason, StringComparison.Ordinal);
        Assert.Equal(CopyState.Running, rig.World.SourceCopy!.State);
        Assert.DoesNotContain(Directory.EnumerateFiles(place), file => file.Contains("p2pm", StringComparison.Ordinal));
        Assert.Empty(rig.World.Leftovers());
    }

    [Fact]
    public async Task A_name_that_is_taken_refuses_the_archive_before_anything_is_made()
    {
        await using var rig = new ArchiveRig();
        await rig.CheckpointAsync();
        string bundle = Path.Combine(rig.World.Target.Environment.State.Containers, MigrationRig.Container);
        Directory.CreateDirectory(bundle);

        var failed = Assert.IsType<MigrationFailed>(await rig.RestoreAsync());

        Assert.Equal((FailureKind.Preflight, ContainerSide.None), (failed.Kind, failed.RunningAt));
        Assert.Empty(Directory.EnumerateFileSystemEntries(bundle));
        Assert.Empty(rig.World.Leftovers());
    }

    [Theory]
    [InlineData("source:freeze")]
    [InlineData("source:dump")]
    [InlineData("source:dumped")]
    [Trait("Spec", "ARC-20")]
    public async Task A_checkpoint_that_fails_leaves_the_container_running_and_no_file(string step)
    {
        await using var rig = new ArchiveRig();
        rig.AtStep(step, () => throw new Runtime.ContainerException("It is said that this failed."));

        var failed = Assert.IsType<MigrationFailed>(await rig.CheckpointAsync());

        Assert.Equal(ContainerSide.Source, failed.RunningAt);
        Assert.Equal(CopyState.Running, rig.World.SourceCopy!.State);
        Assert.Empty(rig.Files());
        Assert.Empty(rig.World.Leftovers());
    }

    [Fact]
    [Trait("Spec", "ARC-22")]
    public async Task A_restore_that_cannot_be_forgotten_says_that_the_container_runs_and_is_ended_by_the_next_start()
    {
        await using var rig = new ArchiveRig();
        await rig.CheckpointAsync();
        rig.AtStep("target:journal:Completed", () => throw new IOException("It is said that this failed."));

        var failed = Assert.IsType<MigrationFailed>(await rig.RestoreAsync());

        Assert.Contains("The container was restored here and let run", failed.Reason, StringComparison.Ordinal);
        Assert.Equal(ContainerSide.Target, failed.RunningAt);
        Assert.Contains($"p2pmigrate resume {failed.JobId}", failed.Reason, StringComparison.Ordinal);
        Assert.Equal(CopyState.Running, rig.World.TargetCopy!.State);
        rig.World.AtStep = null;
        await rig.World.Target.Recovery.ResumeAsync(failed.JobId, TestContext.Current.CancellationToken);
        Assert.Equal(CopyState.Running, rig.World.TargetCopy!.State);
        Assert.Empty(rig.World.Leftovers());
    }

    [Theory]
    [InlineData("target:page")]
    [InlineData("target:pages")]
    [InlineData("target:restore")]
    [InlineData("target:release")]
    [Trait("Spec", "ARC-22")]
    public async Task A_restore_that_fails_leaves_nothing_and_can_be_tried_again(string step)
    {
        await using var rig = new ArchiveRig();
        await rig.CheckpointAsync();
        rig.AtStep(step, () => throw new Runtime.ContainerException("It is said that this failed."));

        Assert.Equal(ContainerSide.None, Assert.IsType<MigrationFailed>(await rig.RestoreAsync()).RunningAt);
        Assert.Null(rig.World.TargetCopy);
        Assert.Empty(rig.World.Leftovers());
        Assert.Empty(Directory.EnumerateFileSystemEntries(rig.World.Target.Environment.State.Containers));

        rig.World.AtStep = null;
        await rig.RestoredAsync();
        Assert.Empty(rig.World.World.Violations);
    }

    [Theory]
    [InlineData("source:journal:Copying")]
    [InlineData("source:journal:Freezing")]
    [InlineData("source:frozen")]
    [InlineData("source:dumping")]
    [InlineData("source:dumped")]
    [InlineData("source:journal:Destroying")]
    [InlineData("source:destroyed")]
    [Trait("Spec", "ARC-20")]
    public async Task A_checkpoint_that_is_killed_ends_with_one_copy_that_runs_or_a_whole_archive(string step)
    {
        await using var rig = new ArchiveRig();
        var killed = new TaskCompletionSource();
        rig.AtStep(step, () =>
        {
            rig.World.AtStep = null;
            rig.World.Crash("source");
            killed.TrySetResult();
        });
        _ = rig.CheckpointAsync();
        await killed.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        foreach (RecoveredJob job in await rig.World.Source.Recovery.RecoverSourceAsync(cancellationToken: TestContext.Current.CancellationToken))
            Assert.NotEqual(RecoveryAction.Failed, job.Action);

        bool isWhole = File.Exists(rig.File);
        Assert.Equal(isWhole ? null : CopyState.Running, rig.World.SourceCopy?.State);
        if (isWhole)
            await rig.RestoredAsync();
        Assert.Single(rig.World.World.CopiesIn(CopyState.Running));
        Assert.Empty(rig.World.World.Violations);
        Assert.Empty(rig.World.Leftovers());
    }
}
