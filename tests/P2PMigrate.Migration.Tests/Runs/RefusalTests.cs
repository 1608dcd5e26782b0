using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Runs;

public sealed class RefusalTests
{
    [Fact]
    [Trait("Spec", "MIG-06")]
    public async Task A_blocker_at_the_target_refuses_the_job_with_all_findings_and_spends_no_ticket()
    {
        await using var rig = new MigrationRig();
        rig.Target.Runtime.TargetFindings.AddRange(
        [
            new Finding(FindingSeverity.Good, "criu", "CRIU is there."),
            new Finding(FindingSeverity.Blocker, "cpu", "The target's processor lacks avx512f.", "Choose another target."),
        ]);

        (MigrationOutcome sent, ReceiveOutcome received) = await rig.RunAsync();

        var failed = Assert.IsType<MigrationFailed>(sent);
        Assert.Equal(FailureKind.Preflight, failed.Kind);
        Assert.Equal("The target's processor lacks avx512f.", failed.Reason);
        Assert.Equal("Choose another target.", failed.Findings[0].Remedy);
        Assert.Equal(ReceiveEnd.Refused, received.End);
        Assert.DoesNotContain("target:admit", rig.Steps);
        Aftermath.AssertTrue(rig, sent);
        await Aftermath.SettleAsync(rig);
    }

    [Fact]
    [Trait("Spec", "MIG-07")]
    public async Task A_ticket_that_does_not_admit_the_job_refuses_it_and_leaves_no_trace()
    {
        await using var rig = new MigrationRig();

        (Task<MigrationOutcome> sending, Task<ReceiveOutcome> receiving) = rig.Start(() => "This ticket was used already.");

        Assert.Equal("This ticket was used already.", Assert.IsType<MigrationFailed>(await sending).Reason);
        Assert.Equal(ReceiveEnd.Refused, (await receiving).End);
        Assert.False(Directory.Exists(rig.Target.Environment.State.Bundle(Name("web"))));
        await Aftermath.SettleAsync(rig);
    }

    [Fact]
    [Trait("Spec", "MIG-06")]
    public async Task A_container_that_is_on_its_way_cannot_leave_a_second_time()
    {
        await using var rig = new MigrationRig();
        MigrationException? refusal = null;
        rig.AtStep = async step =>
        {
            if (step == "source:frozen")
            {
                ContainerDescription description = new()
                {
                    Name = "web", Runtime = "simulated", BundlePath = "/", RootPath = "/", Configuration = default,
                };
                refusal = await Assert.ThrowsAsync<MigrationException>(
                    () => new SourceRunner(rig.Source.Environment).SendAsync(rig.Near, description, new SendOptions { PeerName = "two" }));
            }
        };

        rig.Completed((await rig.RunAsync()).Sent);

        Assert.Equal(MigrationFault.AlreadyMigrating, refusal!.Fault);
    }

    [Fact]
    public async Task A_container_in_doubt_cannot_leave_before_somebody_has_decided()
    {
        await using var rig = new MigrationRig();
        rig.AtStep = step =>
        {
            if (step == "target:release")
                rig.Near.Cut();
            return Task.CompletedTask;
        };
        var doubt = Assert.IsType<MigrationFailed>((await rig.RunAsync()).Sent);
        Assert.True(doubt.IsInDoubt);
        rig.AtStep = null;
        rig.Reconnect();

        ContainerDescription description = new()
        {
            Name = "web", Runtime = "simulated", BundlePath = "/", RootPath = rig.SourceCopy!.Root, Configuration = default,
        };
        MigrationException refusal = await Assert.ThrowsAsync<MigrationException>(
            () => new SourceRunner(rig.Source.Environment).SendAsync(rig.Near, description, new SendOptions { PeerName = "two" }));

        Assert.Equal(MigrationFault.InDoubt, refusal.Fault);
        Assert.Equal(doubt.JobId, refusal.JobId);
        Assert.Equal(RecoveryAction.InDoubt, Assert.Single(await rig.Source.Recovery.RecoverSourceAsync("web")).Action);
        Assert.Empty(await rig.Source.Recovery.RecoverSourceAsync("another"));
        await Aftermath.SettleAsync(rig);
    }

    [Theory]
    [InlineData("../etc")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData(".hidden")]
    [InlineData("line\nbreak")]
    [Trait("Spec", "MIG-05")]
    public async Task A_name_that_is_no_path_component_is_refused_at_home(string name)
    {
        await using var rig = new MigrationRig();
        ContainerDescription description = new()
        {
            Name = name, Runtime = "simulated", BundlePath = "/", RootPath = "/", Configuration = default,
        };

        MigrationOutcome outcome = await new SourceRunner(rig.Source.Environment).SendAsync(rig.Near, description, new SendOptions { PeerName = "two" });

        Assert.Equal(FailureKind.Preflight, Assert.IsType<MigrationFailed>(outcome).Kind);
    }

    [Fact]
    public async Task A_job_that_needs_no_decision_cannot_be_decided_for_the_target()
    {
        await using var rig = new MigrationRig();
        rig.AtStep = step =>
        {
            if (step != "source:dumped")
                return Task.CompletedTask;
            rig.Crash("source");
            throw new OperationCanceledException("killed");
        };
        (_, Task<ReceiveOutcome> receiving) = rig.Start();
        JobId job = (await receiving).JobId!.Value;

        MigrationException refusal = await Assert.ThrowsAsync<MigrationException>(() => rig.Source.Recovery.ResolveAsync(job, ContainerSide.Target));

        Assert.Equal(MigrationFault.WrongState, refusal.Fault);
        Assert.Equal(CopyState.Frozen, rig.SourceCopy!.State);
        await Aftermath.SettleAsync(rig);
        await Assert.ThrowsAsync<MigrationException>(() => rig.Source.Recovery.ResolveAsync(job, ContainerSide.Source));
    }

    private static ContainerName Name(string text) => ContainerName.TryParse(text, out ContainerName name) ? name : throw new FormatException(text);
}
