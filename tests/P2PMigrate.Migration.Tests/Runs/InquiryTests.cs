using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Tests.Machines;
using P2PMigrate.Migration.Tests.World;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>A source that does not know how a job ended asks the target, and does what follows.</summary>
public sealed class InquiryTests
{
    private const string Peer = Encounter.Peer;

    /// <summary>Where a program may die, or the link, so that the source is in doubt afterwards, and what the target says then.</summary>
    [Theory]
    [InlineData("source:journal:Committed", false, "Gone")]
    [InlineData("source:journal:Committed", true, "Gone")]
    [InlineData("target:journal:Releasing", false, "Gone")]
    [InlineData("target:journal:Releasing", true, "Runs")]
    [InlineData("target:released", false, "Runs")]
    [InlineData("target:released", true, "Runs")]
    [InlineData("target:journal:Releasing", false, "InDoubt")]
    [InlineData("target:released", false, "InDoubt")]
    [Trait("Spec", "MIG-59")]
    [Trait("Spec", "MIG-191")]
    public async Task A_doubt_ends_by_the_targets_word_where_the_target_knows(string fault, bool isCut, string fate)
    {
        await using var rig = new MigrationRig();
        await BreakAsync(rig, fault, isCut);
        rig.Target.Runtime.HasForgotten = fate == "InDoubt";
        await rig.Target.Recovery.RecoverTargetAsync();
        await rig.Source.Recovery.RecoverSourceAsync();
        OpenDoubt doubt = Assert.Single(new DoubtInquiry(rig.Source.Environment).FindAll());
        Assert.Equal((MigrationRig.Container, MigrationRig.TargetKey), (doubt.Container, doubt.Target.Key));

        RecoveredJob heard = (await Encounter.AskAsync(rig, doubt.JobId))!;

        Assert.Equal(fate switch { "Gone" => RecoveryAction.Thawed, "Runs" => RecoveryAction.Destroyed, _ => RecoveryAction.InDoubt }, heard.Action);
        Assert.Equal(fate == "InDoubt" ? 1 : 0, new DoubtInquiry(rig.Source.Environment).FindAll().Count);
        await Aftermath.SettleAsync(rig);
        await Aftermath.AssertCanMigrateAsync(rig);
    }

    [Fact]
    [Trait("Spec", "MIG-192")]
    public async Task What_a_person_has_said_at_the_target_is_what_the_target_says()
    {
        await using var rig = new MigrationRig();
        await BreakAsync(rig, "target:released", isCut: false);
        rig.Target.Runtime.HasForgotten = true;
        RecoveredJob doubt = Assert.Single(await rig.Target.Recovery.RecoverTargetAsync());
        await rig.Target.Recovery.ResolveAsync(doubt.JobId, ContainerSide.Target);

        RecoveredJob heard = (await Encounter.AskAsync(rig, doubt.JobId))!;

        Assert.Equal((RecoveryAction.Destroyed, ContainerSide.Target), (heard.Action, heard.RunningAt));
        await Aftermath.SettleAsync(rig);
    }

    [Fact]
    [Trait("Spec", "MIG-190")]
    public async Task Nobody_but_the_peer_of_a_job_is_told_its_fate()
    {
        await using var rig = new MigrationRig();
        await BreakAsync(rig, "target:released", isCut: true);
        await rig.Target.Recovery.RecoverTargetAsync();
        JobId job = Assert.Single(new DoubtInquiry(rig.Source.Environment).FindAll()).JobId;

        RecoveredJob heard = (await Encounter.AskAsync(rig, job, peer: "another"))!;

        Assert.Equal(RecoveryAction.InDoubt, heard.Action);
        Assert.Contains("remembers nothing of this job", heard.Message, StringComparison.Ordinal);
        await Aftermath.SettleAsync(rig);
    }

    [Fact]
    [Trait("Spec", "MIG-192")]
    public async Task Of_a_job_that_goes_on_nothing_final_is_said()
    {
        await using var rig = new MigrationRig();
        var said = new HashSet<JobFate>();
        rig.AtStep = step =>
        {
            if (step.StartsWith("target:", StringComparison.Ordinal) && step is not ("target:check" or "target:dispose"))
            {
                foreach ((JobId job, _) in UnfinishedJob.JournalsIn(rig.Target.Environment.State))
                    said.Add(new JobFates(rig.Target.Environment.State).Of(job, Peer));
            }

            return Task.CompletedTask;
        };

        rig.Completed((await rig.RunAsync()).Sent);

        Assert.Subset(new HashSet<JobFate> { JobFate.UnderWay, JobFate.Unknown }, said);
        Assert.Contains(JobFate.UnderWay, said);
    }

    [Fact]
    [Trait("Spec", "MIG-192")]
    [Trait("Spec", "MIG-193")]
    public async Task A_source_that_knows_leaves_nothing_to_ask_for()
    {
        await using var rig = new MigrationRig();
        rig.Completed((await rig.RunAsync()).Sent);
        Assert.Empty(Directory.EnumerateFileSystemEntries(rig.Target.Environment.State.Ended));
        Assert.Empty(new TargetRunner(rig.Target.Environment).Askers());
    }

    [Fact]
    [Trait("Spec", "MIG-193")]
    public async Task A_source_may_ask_until_it_knows()
    {
        await using var rig = new MigrationRig();
        await BreakAsync(rig, "target:released", isCut: false);
        Assert.Equal([MigrationRig.SourceKey], new TargetRunner(rig.Target.Environment).Askers());
        rig.Target.Runtime.HasForgotten = true;
        RecoveredJob doubt = Assert.Single(await rig.Target.Recovery.RecoverTargetAsync());
        await rig.Target.Recovery.ResolveAsync(doubt.JobId, ContainerSide.Target);
        Assert.Equal([MigrationRig.SourceKey], new TargetRunner(rig.Target.Environment).Askers());
        await Aftermath.SettleAsync(rig);
    }

    [Fact]
    [Trait("Spec", "MIG-191")]
    public async Task A_word_about_a_job_that_is_not_in_doubt_has_no_effect()
    {
        await using var rig = new MigrationRig();
        JobId job = default;
        rig.AtStep = async step =>
        {
            if (step != "source:journal:Freezing")
                return;
            job = UnfinishedJob.JournalsIn(rig.Source.Environment.State).Single().Job;
            Assert.Null(await rig.Source.Recovery.HearAsync(job, JobFate.Runs, CancellationToken.None));
        };

        rig.Completed((await rig.RunAsync()).Sent);
        Assert.NotEqual(default, job);
        Assert.Null(await rig.Source.Recovery.HearAsync(job, JobFate.Gone, CancellationToken.None));
    }

    [Fact]
    [Trait("Spec", "MIG-192")]
    public void The_fates_that_are_kept_are_the_last_ones_and_of_others_nothing_is_said()
    {
        var state = new StateDirectory(Directory.CreateTempSubdirectory("p2pmigrate-fates-").FullName);
        state.Create();
        DateTime now = DateTime.UtcNow;
        for (int i = 1; i <= 20; i++)
            End(state, i, Peer, now.AddMinutes(i - 100));
        for (int i = 101; i <= 150; i++)
            End(state, i, $"peer {i}", now.AddMinutes(i - 160));

        var fates = new JobFates(state);
        int[] known = [.. Enumerable.Range(1, 20).Where(i => fates.Of(new JobId((UInt128)i), Peer) == JobFate.Gone)];
        Assert.Equal(Enumerable.Range(7, 14), known); // 64 in all, of which these are the oldest; of one peer no more than 16
        Assert.Equal(JobFate.Gone, fates.Of(new JobId(101), "peer 101"));
        End(state, 200, "peer 200", now.AddDays(-31));
        Assert.Equal(JobFate.Unknown, fates.Of(new JobId(200), "peer 200"));
        Directory.Delete(state.Root, recursive: true);

        static void End(StateDirectory state, int job, string peer, DateTime at)
        {
            JournalHead head = HeadOf(job, JobRole.Target, peer);
            JobJournal journal = JobJournal.Create(state.Journal(head.JobId), head);
            journal.Append((int)TargetState.Aborted, DateTimeOffset.UnixEpoch);
            File.SetLastWriteTimeUtc(state.Journal(head.JobId), at);
            journal.SetAside(state.Ended);
        }
    }

    [Fact]
    [Trait("Spec", "MIG-192")]
    public async Task A_source_that_proposes_a_container_again_is_in_no_doubt_about_it_and_its_job_id_is_not_used_twice()
    {
        await using var rig = new MigrationRig();
        StateDirectory state = rig.Target.Environment.State;
        state.Create();
        foreach ((int job, string peer) in ((int, string)[])[(1, Peer), (2, "another")])
        {
            JournalHead head = HeadOf(job, JobRole.Target, peer);
            JobJournal.Create(state.Journal(head.JobId), head).SetAside(state.Ended);
        }

        rig.Completed((await rig.RunAsync()).Sent);

        Assert.Equal([state.EndedJournal(new JobId(2))], Directory.EnumerateFiles(state.Ended));
        ContainerDescription web = await rig.Target.Runtime.InspectAsync(MigrationRig.Container, null, CancellationToken.None);
        Propose again = Proposals.Any with { JobId = new JobId(2), Container = web };
        Assert.Contains(await new TargetCheck(rig.Target.Environment).AskAsync(again, DateTimeOffset.UnixEpoch, CancellationToken.None), finding => finding is { Severity: FindingSeverity.Blocker, Subject: "job" });
    }

    [Fact]
    [Trait("Spec", "MIG-193")]
    public void A_journal_tells_how_the_peer_is_met_again()
    {
        var contact = new PeerContact(MigrationRig.TargetKey, ServerName.TryParse("[2001:db8::1]:3478", out ServerName server) ? server : null, [new(System.Net.IPAddress.Loopback, 7)]);
        JournalHead head = HeadOf(1, JobRole.Source, Peer) with { Contact = contact };

        Assert.True(JournalContents.TryParse(JobJournal.NewContent(head), out JournalContents? contents, out _));

        PeerContact read = contents.Head.Contact!;
        Assert.Equal((contact.Key, contact.Rendezvous), (read.Key, read.Rendezvous));
        Assert.Equal(contact.Addresses, read.Addresses);
    }

    private static JournalHead HeadOf(int job, JobRole role, string peer) => new(
        new JobId((UInt128)job), role, ContainerName.TryParse(MigrationRig.Container, out ContainerName name) ? name : default, "runc", "/b", "/b/rootfs", peer, DateTimeOffset.UnixEpoch);

    private static async Task BreakAsync(MigrationRig rig, string step, bool isCut)
    {
        int times = 0;
        var broken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.AtStep = at =>
        {
            if (at != step || Interlocked.Increment(ref times) > 1)
                return Task.CompletedTask;
            if (isCut)
                rig.Near.Cut();
            else
                rig.Crash(step.Split(':')[0]);
            broken.SetResult();
            return isCut ? Task.CompletedTask : throw new OperationCanceledException("killed");
        };
        (Task<MigrationOutcome> sending, Task<ReceiveOutcome> receiving) = rig.Start();
        await broken.Task.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
        if (isCut || step.StartsWith("target", StringComparison.Ordinal))
            await sending.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
        if (isCut || step.StartsWith("source", StringComparison.Ordinal))
            await receiving.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
        rig.AtStep = null;
    }
}
