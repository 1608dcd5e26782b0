using P2PMigrate.Migration.Depots;
using P2PMigrate.Migration.Stages;
using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Snapshot.Manifests;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Tests.Stages;

/// <summary>A migration by hand, stage by stage, through a place between two machines.</summary>
public sealed class StageTests
{
    private static readonly CancellationToken NoHurry = TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Spec", "DEP-21")]
    [Trait("Spec", "DEP-22")]
    [Trait("Spec", "DEP-23")]
    public async Task Four_stages_move_a_container_and_a_word_at_the_source_ends_the_frozen_copy()
    {
        await using var rig = new StageRig();

        ContentPushed pushed = await rig.PrepareDataAsync();
        ContentPulled pulled = await rig.ImportDataAsync();
        Assert.Equal(CopyState.Running, rig.World.SourceCopy!.State);
        var dumped = Assert.IsType<DumpCreated>(await rig.CreateDumpAsync());
        Assert.Equal(CopyState.Frozen, rig.World.SourceCopy!.State);
        (long counter, Manifest frozen) = (rig.World.SourceCopy.Counter, MigrationRig.ManifestOf(rig.World.SourceCopy.Root));
        RestoreCompleted restored = Restored(await rig.RestoreDumpAsync());

        Assert.True(pushed.PushedBytes > 0 && pushed.KnownBytes == 0);
        Assert.Equal(pushed.PushedBytes, pulled.PulledBytes);
        Assert.Equal(dumped.MemoryBytes, restored.MemoryBytes);
        Assert.Equal(CopyState.Running, rig.World.TargetCopy!.State);
        Assert.Equal(counter, rig.World.TargetCopy.Counter);
        Assert.Empty(Manifest.Compare(frozen, MigrationRig.ManifestOf(rig.World.TargetCopy.Root)));
        Assert.Empty(rig.Objects("dump"));

        RecoveredJob ended = await rig.World.Source.Recovery.ResolveAsync(dumped.JobId, ContainerSide.Target, NoHurry);
        Assert.Equal(RecoveryAction.Destroyed, ended.Action);
        Assert.Null(rig.World.SourceCopy);
        Assert.Empty(rig.World.World.Violations);
        Assert.Empty(rig.World.Leftovers());
    }

    [Theory]
    [InlineData("target:page")]
    [InlineData("target:restore")]
    [InlineData("target:journal:Restoring")]
    [Trait("Spec", "DEP-24")]
    public async Task A_restore_that_fails_leaves_the_source_frozen_and_unfreeze_brings_it_back(string step)
    {
        await using var rig = new StageRig();
        await rig.DumpedAsync();
        rig.AtStep(step, () => throw new Runtime.ContainerException("It is said that this failed."));

        Assert.IsType<MigrationFailed>(await rig.RestoreDumpAsync());
        Assert.Null(rig.World.TargetCopy);
        Assert.Equal(CopyState.Frozen, rig.World.SourceCopy!.State);
        rig.World.AtStep = null;
        RecoveredJob back = await rig.UnfreezeAsync();

        Assert.Equal((RecoveryAction.Thawed, ContainerSide.Source), (back.Action, back.RunningAt));
        Assert.Equal(CopyState.Running, rig.World.SourceCopy!.State);
        Assert.Contains("next stage is create-dump", await RefusedAsync(rig.RestoreDumpAsync), StringComparison.Ordinal);
        Assert.Empty(rig.Objects("dump"));
        Assert.Empty(rig.World.World.Violations);
        Assert.Empty(rig.World.Leftovers());
    }

    [Fact]
    [Trait("Spec", "DEP-20")]
    public async Task Who_unfreezes_while_the_target_restores_wins_or_is_told_that_the_target_has_it()
    {
        await using var rig = new StageRig();
        DumpCreated dumped = await rig.DumpedAsync();
        MigrationException? refused = null;
        rig.AtStep("target:released", () => refused = Assert.Throws<MigrationException>(() => rig.UnfreezeAsync().GetAwaiter().GetResult()));

        Restored(await rig.RestoreDumpAsync());

        Assert.Contains($"resolve {dumped.JobId} --keep target", refused!.Message, StringComparison.Ordinal);
        Assert.Equal(CopyState.Frozen, rig.World.SourceCopy!.State);
        Assert.Single(rig.World.World.CopiesIn(CopyState.Running));
        Assert.Empty(rig.World.World.Violations);
    }

    [Fact]
    [Trait("Spec", "DEP-20")]
    public async Task A_target_that_holds_the_container_lets_it_go_when_the_source_was_first()
    {
        await using var rig = new StageRig();
        await rig.DumpedAsync();
        rig.Place.Creating = name =>
        {
            if (!name.Contains("/claim/", StringComparison.Ordinal))
                return;
            rig.Place.Creating = null;
            rig.UnfreezeAsync().GetAwaiter().GetResult();
        };

        var failed = Assert.IsType<MigrationFailed>(await rig.RestoreDumpAsync());

        Assert.Contains("taken 'web' back", failed.Reason, StringComparison.Ordinal);
        Assert.Null(rig.World.TargetCopy);
        Assert.Equal(CopyState.Running, rig.World.SourceCopy!.State);
        Assert.Empty(rig.World.World.Violations);
        Assert.Empty(rig.World.Leftovers());
    }

    [Fact]
    [Trait("Spec", "DEP-20")]
    public async Task A_target_that_was_killed_after_it_claimed_restores_again_and_nobody_else_does()
    {
        await using var rig = new StageRig();
        await rig.DumpedAsync();
        await KillTargetAsItClaimsAsync(rig);

        await Assert.ThrowsAsync<MigrationException>(rig.UnfreezeAsync);
        await rig.World.Target.Recovery.RecoverTargetAsync(NoHurry);
        Restored(await rig.RestoreDumpAsync());

        Assert.Single(rig.World.World.CopiesIn(CopyState.Running));
        Assert.Empty(rig.World.World.Violations);
    }

    [Fact]
    [Trait("Spec", "DEP-24")]
    public async Task An_empty_directory_in_the_places_stead_is_not_asked()
    {
        await using var rig = new StageRig();
        DumpCreated dumped = await rig.DumpedAsync();
        Restored(await rig.RestoreDumpAsync());

        rig.MountElse(() => Assert.Contains("has nothing of the dump", Assert.ThrowsAsync<PlaceException>(rig.UnfreezeAsync).GetAwaiter().GetResult().Message, StringComparison.Ordinal));

        Assert.Equal(CopyState.Frozen, rig.World.SourceCopy!.State);
        await rig.ResolveAsync(dumped.JobId, ContainerSide.Target);
        Assert.Single(rig.World.World.CopiesIn(CopyState.Running));
        Assert.Empty(rig.World.World.Violations);
    }

    [Fact]
    [Trait("Spec", "DEP-24")]
    public async Task A_source_that_was_started_again_does_not_take_the_only_copy_back()
    {
        await using var rig = new StageRig();
        await rig.DumpedAsync();
        rig.World.SourceCopy!.Become(CopyState.Gone);

        Assert.Contains("Its dump is in", await RefusedAsync(rig.UnfreezeAsync), StringComparison.Ordinal);

        Assert.Empty(rig.Objects("claim"));
        Restored(await rig.RestoreDumpAsync());
        Assert.Equal(CopyState.Running, rig.World.TargetCopy!.State);
        Assert.Empty(rig.World.World.Violations);
    }

    [Fact]
    [Trait("Spec", "DEP-20")]
    public async Task A_persons_word_at_the_source_asks_the_place_too()
    {
        await using var rig = new StageRig();
        DumpCreated dumped = await rig.DumpedAsync();

        Assert.Contains("No target has taken", await RefusedAsync(() => rig.ResolveAsync(dumped.JobId, ContainerSide.Target)), StringComparison.Ordinal);
        Assert.Equal(CopyState.Frozen, rig.World.SourceCopy!.State);
        await rig.ResolveAsync(dumped.JobId, ContainerSide.Source);

        Assert.Equal(CopyState.Running, rig.World.SourceCopy!.State);
        Assert.Contains("next stage is create-dump", await RefusedAsync(rig.RestoreDumpAsync), StringComparison.Ordinal);
        Assert.Empty(rig.World.World.Violations);
        Assert.Empty(rig.World.Leftovers());
    }

    [Fact]
    [Trait("Spec", "DEP-20")]
    public async Task A_target_that_was_killed_after_it_claimed_gives_the_dump_up_when_it_is_cleaned()
    {
        await using var rig = new StageRig();
        await rig.DumpedAsync();
        await KillTargetAsItClaimsAsync(rig);

        await rig.World.Target.Recovery.RecoverTargetAsync(NoHurry);
        await rig.UnfreezeAsync();

        Assert.Equal(CopyState.Running, rig.World.SourceCopy!.State);
        Assert.Single(rig.World.World.CopiesIn(CopyState.Running));
        Assert.Empty(rig.World.World.Violations);
    }

    [Fact]
    [Trait("Spec", "DEP-25")]
    public async Task A_stage_out_of_order_names_the_one_that_is_next()
    {
        await using var rig = new StageRig();

        Assert.Contains("next stage is prepare-data, at the source", await RefusedAsync(rig.ImportDataAsync), StringComparison.Ordinal);
        Assert.Contains("next stage is prepare-data, at the source", await RefusedAsync(rig.CreateDumpAsync), StringComparison.Ordinal);
        Assert.Contains("next stage is prepare-data, at the source", await RefusedAsync(rig.RestoreDumpAsync), StringComparison.Ordinal);
        Assert.Contains("nothing to unfreeze", await RefusedAsync(rig.UnfreezeAsync), StringComparison.Ordinal);
        await rig.PrepareDataAsync();
        Assert.Contains("next stage is create-dump, at the source", await RefusedAsync(rig.RestoreDumpAsync), StringComparison.Ordinal);
        Assert.IsType<DumpCreated>(await rig.CreateDumpAsync());
        Assert.Contains("next stage is import-data, here", await RefusedAsync(rig.RestoreDumpAsync), StringComparison.Ordinal);
        string again = await RefusedAsync(rig.CreateDumpAsync);
        Assert.Contains("restore-dump, at the target", again, StringComparison.Ordinal);
        Assert.Contains("p2pmigrate migrate web -s unfreeze", again, StringComparison.Ordinal);
        Assert.Equal(CopyState.Frozen, rig.World.SourceCopy!.State);
    }

    [Fact]
    [Trait("Spec", "DEP-25")]
    public async Task Of_a_sealed_place_the_next_stage_names_whom_it_is_for_or_from()
    {
        await using var rig = new StageRig();
        using PrivateIdentity source = PrivateIdentity.Create(CryptographicEntropy.Instance), target = PrivateIdentity.Create(CryptographicEntropy.Instance);
        string forTarget = $" -d {rig.Place.Place} --for {KeyText.Format(target.Public)}";
        Runtime.ContainerDescription container = await rig.World.Source.Runtime.InspectAsync(MigrationRig.Container, null, default);

        Assert.EndsWith($"-s prepare-data{forTarget}", await RefusedAsync(async () => { await CreateDumpRunner.RequireDataAsync(rig.Place, rig.Name, [target.Public], default); return 0; }), StringComparison.Ordinal);
        using SealedObjectStore writing = await SealedObjectStore.CreateAsync(rig.Place, rig.Name, source, [target.Public], default);
        using SealedObjectStore reading = await SealedObjectStore.OpenAsync(rig.Place, rig.Name, target, default);
        var restore = new RestoreDumpRunner(rig.World.Target.Environment, reading);
        Assert.EndsWith($"-s prepare-data{forTarget}", await RefusedAsync(() => restore.RunAsync(rig.Name)), StringComparison.Ordinal);
        await new PushRunner(rig.World.Source.Environment, writing).RunAsync(container);
        Assert.EndsWith($"-s create-dump{forTarget}", await RefusedAsync(() => restore.RunAsync(rig.Name)), StringComparison.Ordinal);
        var create = new CreateDumpRunner(rig.World.Source.Environment, writing);
        Assert.IsType<DumpCreated>(await create.RunAsync(container, JobId.Create()));
        Assert.EndsWith($"-s import-data -d {rig.Place.Place} --from {source.PeerId}", await RefusedAsync(() => restore.RunAsync(rig.Name)), StringComparison.Ordinal);
        Assert.Contains("with --from and what `p2pmigrate id` prints here", await RefusedAsync(() => create.RunAsync(container, JobId.Create())), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Spec", "DEP-22")]
    public async Task A_place_that_fails_as_the_dump_is_written_leaves_the_container_running()
    {
        await using var rig = new StageRig();
        await rig.PrepareDataAsync();
        rig.Place.Creating = name =>
        {
            if (name.Contains("/dump/", StringComparison.Ordinal))
                throw new IOException("The place is full.");
        };

        var failed = Assert.IsType<MigrationFailed>(await rig.CreateDumpAsync());

        Assert.Equal((ContainerSide.Source, false), (failed.RunningAt, failed.IsInDoubt));
        Assert.Contains("The place is full.", failed.Reason, StringComparison.Ordinal);
        Assert.Equal(CopyState.Running, rig.World.SourceCopy!.State);
        Assert.Empty(rig.World.Leftovers());
    }

    [Theory]
    [InlineData("whole")]
    [InlineData("claim")]
    [Trait("Spec", "DEP-22")]
    public async Task A_place_that_fails_at_the_last_word_is_asked_whose_the_container_is(string fails)
    {
        await using var rig = new StageRig();
        await rig.PrepareDataAsync();
        rig.Place.Creating = name =>
        {
            if (name.EndsWith("/whole", StringComparison.Ordinal) || (fails == "claim" && name.Contains("/claim/", StringComparison.Ordinal)))
                throw new IOException("The place has gone.");
        };

        var failed = Assert.IsType<MigrationFailed>(await rig.CreateDumpAsync());

        Assert.Equal(fails == "claim", failed.IsInDoubt);
        Assert.Equal(fails == "claim" ? CopyState.Frozen : CopyState.Running, rig.World.SourceCopy!.State);
        rig.Place.Creating = null;
        if (failed.IsInDoubt)
            await rig.UnfreezeAsync();
        Assert.Equal(CopyState.Running, rig.World.SourceCopy!.State);
        Assert.Empty(rig.World.Leftovers());
    }

    [Theory]
    [InlineData("source:journal:Copying")]
    [InlineData("source:frozen")]
    [InlineData("source:dumped")]
    [InlineData("source:journal:Committed")]
    [Trait("Spec", "DEP-22")]
    public async Task A_create_dump_that_is_killed_is_undone_by_the_next_start_or_by_unfreeze(string step)
    {
        await using var rig = new StageRig();
        await rig.PrepareDataAsync();
        var killed = new TaskCompletionSource();
        rig.AtStep(step, () =>
        {
            rig.World.AtStep = null;
            rig.World.Crash("source");
            killed.TrySetResult();
        });
        _ = rig.CreateDumpAsync();
        await killed.Task.WaitAsync(TimeSpan.FromSeconds(60), NoHurry);

        IReadOnlyList<RecoveredJob> jobs = await rig.World.Source.Recovery.RecoverSourceAsync(cancellationToken: NoHurry);
        if (Assert.Single(jobs).Action == RecoveryAction.InDoubt)
        {
            Assert.Equal("source:journal:Committed", step);
            await rig.UnfreezeAsync();
        }

        Assert.Equal(CopyState.Running, rig.World.SourceCopy!.State);
        Assert.Empty(rig.World.World.Violations);
        Assert.Empty(rig.World.Leftovers());
    }

    private static async Task KillTargetAsItClaimsAsync(StageRig rig)
    {
        var killed = new TaskCompletionSource();
        rig.Place.Created = name =>
        {
            if (!name.Contains("/claim/", StringComparison.Ordinal))
                return;
            rig.Place.Created = null;
            rig.World.Crash("target");
            killed.TrySetResult();
        };
        _ = rig.RestoreDumpAsync();
        await killed.Task.WaitAsync(TimeSpan.FromSeconds(60), NoHurry);
    }

    private static async Task<string> RefusedAsync<T>(Func<Task<T>> stage) => (await Assert.ThrowsAsync<MigrationException>(stage)).Message;

    private static RestoreCompleted Restored(MigrationOutcome outcome) => outcome switch
    {
        RestoreCompleted completed => completed,
        MigrationFailed failed => throw new Xunit.Sdk.XunitException($"The restore failed: {failed.Reason}"),
        var other => throw new Xunit.Sdk.XunitException($"{other}"),
    };
}
