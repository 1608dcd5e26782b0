using Microsoft.Win32.SafeHandles;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Tests.World;

namespace P2PMigrate.Migration.Tests.Runs;

/// <summary>
/// A program is killed, and its journal is not what was written when it is started again: it recovers, or refuses with a reason and with what to type. A second copy
/// runs in no case.
/// </summary>
public sealed class JournalDamageTests
{
    /// <summary>Each record of each side.</summary>
    public static TheoryData<string> Records =>
        [.. FaultSteps.Source.Concat(FaultSteps.Target).Where(step => step.Contains(":journal:", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Records))]
    [Trait("Spec", "MIG-52")]
    public async Task A_flipped_bit_in_any_record_is_recovered_from_or_refused_with_a_reason(string killedAt)
    {
        for (int block = 0, blocks = 1; block < blocks; block++)
        {
            await using var rig = new MigrationRig();
            MigrationRig.Agent killed = await KillAsync(rig, killedAt);
            string journal = Assert.Single(Directory.GetFiles(killed.Environment.State.Journals));
            byte[] content = File.ReadAllBytes(journal);
            Assert.True(JournalContents.TryParse(content, out JournalContents? contents, out string? reason), reason);
            blocks = 1 + contents.Records.Count;
            int offset = block == 0 ? 20 : JournalFormat.SlotOffset(block - 1) + (7 * block);
            content[offset] ^= (byte)(1 << block);
            File.WriteAllBytes(journal, content);

            await SettleAsync(rig, killed, $"{killedAt}, block {block}");
        }
    }

    [Theory]
    [InlineData("source:journal:Committed")]
    [InlineData("target:journal:Releasing")]
    [Trait("Spec", "MIG-52")]
    [Trait("Spec", "MIG-55")]
    public async Task A_journal_cut_off_at_any_byte_is_refused_and_nothing_is_done_in_its_name(string killedAt)
    {
        await using var rig = new MigrationRig();
        MigrationRig.Agent killed = await KillAsync(rig, killedAt);
        string journal = Assert.Single(Directory.GetFiles(killed.Environment.State.Journals));
        CopyState? before = killed.Runtime.Machine.Find(MigrationRig.Container)?.State;

        for (int length = JournalFormat.FileLength - 1; length >= 0; length--)
        {
            using (SafeFileHandle file = File.OpenHandle(journal, FileMode.Open, FileAccess.Write))
                RandomAccess.SetLength(file, length);
            MigrationException refused = Assert.Throws<MigrationException>(() => JobJournal.Open(journal));
            Assert.Contains($"{length} bytes long", refused.Message, StringComparison.Ordinal);
        }

        foreach (int length in (int[])[0, 1, JournalFormat.HeadLength, JournalFormat.SlotOffset(2), JournalFormat.FileLength - 1])
        {
            File.WriteAllBytes(journal, new byte[length]);
            RecoveredJob found = Assert.Single(await RecoverAsync(killed));
            Assert.Equal(RecoveryAction.InDoubt, found.Action);
            Assert.Contains($"{length} bytes long", found.Message, StringComparison.Ordinal);
            KnownJob listed = Assert.Single(JobList.Read(killed.Environment.State));
            Assert.Contains($"{length} bytes long", listed.Damage, StringComparison.Ordinal);
            Assert.Equal(before, killed.Runtime.Machine.Find(MigrationRig.Container)?.State);
        }

        await SettleAsync(rig, killed, killedAt);
    }

    [Theory]
    [InlineData("source:journal:Committed")]
    [InlineData("target:journal:Releasing")]
    [Trait("Spec", "MIG-54")]
    [Trait("Spec", "MIG-55")]
    public async Task A_record_that_hands_over_and_is_torn_at_any_byte_leaves_the_decision_to_a_person(string killedAt)
    {
        await using var rig = new MigrationRig();
        MigrationRig.Agent killed = await KillAsync(rig, killedAt);
        killed.Runtime.HasForgotten = true;
        string journal = Assert.Single(Directory.GetFiles(killed.Environment.State.Journals));
        byte[] whole = File.ReadAllBytes(journal);
        Assert.True(JournalContents.TryParse(whole, out JournalContents? contents, out string? reason), reason);
        int last = JournalFormat.SlotOffset(contents.Records.Count - 1);

        for (int torn = 1; torn < JournalFormat.SlotLength; torn++)
        {
            byte[] content = [.. whole[..(last + torn)], .. new byte[JournalFormat.FileLength - last - torn]];
            File.WriteAllBytes(journal, content);
            RecoveredJob found = Assert.Single(await RecoverAsync(killed));
            Assert.Equal(RecoveryAction.InDoubt, found.Action);
            Assert.Contains($"p2pmigrate resolve {contents.Head.JobId} --keep", found.Message, StringComparison.Ordinal);
        }

        await SettleAsync(rig, killed, killedAt);
    }

    private static async Task<MigrationRig.Agent> KillAsync(MigrationRig rig, string step)
    {
        bool isSource = step.StartsWith("source", StringComparison.Ordinal);
        int kills = 0;
        var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.AtStep = at =>
        {
            if (at != step || Interlocked.Increment(ref kills) > 1)
                return Task.CompletedTask;
            rig.Crash(isSource ? "source" : "target");
            killed.SetResult();
            throw new OperationCanceledException("killed");
        };
        (Task<MigrationOutcome> sending, Task<ReceiveOutcome> receiving) = rig.Start();
        await killed.Task.WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
        await (isSource ? receiving : (Task)sending).WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);
        return isSource ? rig.Source : rig.Target;
    }

    /// <summary>Both programs are started again, first the one that was killed; a person who has looked resolves what they do not decide.</summary>
    private static async Task SettleAsync(MigrationRig rig, MigrationRig.Agent killed, string what)
    {
        bool runsAtTarget = rig.TargetCopy?.State == CopyState.Running;
        foreach (MigrationRig.Agent agent in new[] { killed, killed == rig.Source ? rig.Target : rig.Source })
        {
            foreach (RecoveredJob job in await RecoverAsync(agent))
            {
                Assert.True(job.Action != RecoveryAction.Failed, $"{what}: {job.Message}");
                Assert.Empty(rig.World.Violations);
                if (job.Action != RecoveryAction.InDoubt)
                    continue;
                Assert.Contains($"p2pmigrate resolve {job.JobId} --keep", job.Message, StringComparison.Ordinal);
                await agent.Recovery.ResolveAsync(job.JobId, runsAtTarget ? ContainerSide.Target : ContainerSide.Source);
            }
        }

        Assert.Empty(rig.World.Violations);
        Assert.True(rig.World.CopiesIn(CopyState.Running).Count == 1, $"{what}: {rig.World.CopiesIn(CopyState.Running).Count} copies run");
        Assert.Empty(rig.World.CopiesIn(CopyState.Frozen));
        Assert.Empty(rig.Leftovers());
    }

    /// <summary>What either command does when it starts. A journal that cannot be read is found by both.</summary>
    private static async Task<IReadOnlyList<RecoveredJob>> RecoverAsync(MigrationRig.Agent agent) =>
        [.. (await agent.Recovery.RecoverTargetAsync()).Concat(await agent.Recovery.RecoverSourceAsync()).DistinctBy(job => job.JobId)];
}
