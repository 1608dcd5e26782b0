using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;

namespace P2PMigrate.Migration.Tests.Journal;

public sealed class JournalTests : IDisposable
{
    private static readonly SourceState[] s_life = [SourceState.Copying, SourceState.Freezing, SourceState.Committed, SourceState.Destroying, SourceState.Completed];

    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-journal-").FullName;
    private readonly JobId _job = JobId.Create();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void What_was_appended_is_read_again()
    {
        Write(s_life, "a reason");

        JournalContents contents = Read();

        Assert.Equal(s_life.Select(state => (int)state), contents.Records.Select(record => record.State));
        Assert.Equal("a reason", contents.Records[^1].Reason);
        Assert.Equal("/bundle", contents.Head.BundlePath);
        Assert.Equal(_job, contents.Head.JobId);
        Assert.False(contents.HasTornTail);
        Assert.Equal(JournalFormat.FileLength, new FileInfo(FilePath).Length);
    }

    [Fact]
    public void A_reopened_journal_goes_on_where_it_stopped()
    {
        Write(s_life[..2]);
        (JobJournal journal, JournalContents contents) = JobJournal.Open(FilePath)!.Value;
        using (journal)
        {
            Assert.Equal((int)SourceState.Freezing, contents.LastState);
            journal.Append((int)SourceState.RolledBack, DateTimeOffset.UnixEpoch);
        }

        Assert.Equal([2, 3, 12], Read().Records.Select(record => record.State));
    }

    [Fact]
    public void A_journal_that_somebody_writes_is_left_alone()
    {
        using JobJournal journal = Create();
        Assert.Null(JobJournal.Open(FilePath));
        Assert.Empty(UnfinishedJob.FindAll(new StateDirectory(_directory)));
    }

    [Fact]
    public void A_reason_that_does_not_fit_is_cut()
    {
        Write([SourceState.Copying], new string('ö', 5000));
        Assert.StartsWith("öööö", Read().Records[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Spec", "MIG-52")]
    public void A_file_cut_off_at_any_byte_is_refused_with_a_reason()
    {
        Write(s_life);
        byte[] file = File.ReadAllBytes(FilePath);
        for (int length = 0; length < file.Length; length++)
        {
            Assert.False(JournalContents.TryParse(file.AsSpan(0, length), out _, out string? reason));
            Assert.Contains("bytes long", reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("Spec", "MIG-54")]
    public void A_flipped_bit_anywhere_never_lets_a_committed_source_thaw()
    {
        foreach (int written in Enumerable.Range(3, 3))
        {
            SourceState[] life = s_life[..written];
            Remove();
            Write(life);
            byte[] file = File.ReadAllBytes(FilePath);
            for (int bit = 0; bit < JournalFormat.FileLength * 8; bit += StepOver(bit))
            {
                file[bit / 8] ^= (byte)(1 << (bit % 8));
                if (JournalContents.TryParse(file, out JournalContents? contents, out string? reason))
                    Assert.NotEqual(RecoveryAction.Thawed, RecoveryRules.For(contents));
                else
                    Assert.NotEmpty(reason);
                file[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    [Fact]
    [Trait("Spec", "MIG-55")]
    public void A_flipped_bit_anywhere_never_lets_a_target_clean_up_what_may_run()
    {
        TargetState[] life = [TargetState.Receiving, TargetState.Restoring, TargetState.Releasing, TargetState.Confirming];
        foreach (int written in Enumerable.Range(3, 2))
        {
            Remove();
            using (JobJournal journal = Create(JobRole.Target))
            {
                foreach (TargetState state in life[..written])
                    journal.Append((int)state, DateTimeOffset.UnixEpoch);
            }

            byte[] file = File.ReadAllBytes(FilePath);
            for (int bit = 0; bit < JournalFormat.FileLength * 8; bit += StepOver(bit))
            {
                file[bit / 8] ^= (byte)(1 << (bit % 8));
                if (JournalContents.TryParse(file, out JournalContents? contents, out _))
                    Assert.NotEqual(RecoveryAction.CleanedUp, RecoveryRules.For(contents));
                file[bit / 8] ^= (byte)(1 << (bit % 8));
            }
        }
    }

    [Fact]
    public void A_record_torn_at_any_byte_while_it_was_written_counts_as_the_most_it_may_have_said()
    {
        Write(s_life[..2]);
        byte[] before = File.ReadAllBytes(FilePath);
        Remove();
        Write(s_life[..3]);
        byte[] after = File.ReadAllBytes(FilePath);
        int slot = JournalFormat.SlotOffset(2);
        for (int torn = 0; torn <= JournalFormat.SlotLength; torn++)
        {
            byte[] file = [.. after[..(slot + torn)], .. before[(slot + torn)..]];
            Assert.True(JournalContents.TryParse(file, out JournalContents? contents, out _));
            Assert.Equal(torn == 0 ? RecoveryAction.Thawed : RecoveryAction.InDoubt, RecoveryRules.For(contents));
        }
    }

    [Fact]
    public void Random_bytes_are_refused()
    {
        var random = new Random(1);
        byte[] file = new byte[JournalFormat.FileLength];
        for (int round = 0; round < 100; round++)
        {
            random.NextBytes(file);
            Assert.False(JournalContents.TryParse(file, out _, out _));
        }
    }

    private string FilePath => new StateDirectory(_directory).Journal(_job);

    private void Remove()
    {
        if (File.Exists(FilePath))
            File.Delete(FilePath);
    }

    /// <summary>Every bit of the first bytes of head and slots, and a sample of the long rest.</summary>
    private static int StepOver(int bit)
    {
        int offset = bit / 8 < JournalFormat.HeadLength ? bit / 8 : (bit / 8 - JournalFormat.HeadLength) % JournalFormat.SlotLength;
        return offset < 96 || offset > JournalFormat.SlotLength - 40 && bit / 8 >= JournalFormat.HeadLength ? 1 : 61;
    }

    private JournalContents Read()
    {
        Assert.True(JournalContents.TryParse(File.ReadAllBytes(FilePath), out JournalContents? contents, out string? reason), reason);
        return contents;
    }

    private void Write(IEnumerable<SourceState> states, string reason = "")
    {
        using JobJournal journal = Create();
        foreach (SourceState state in states)
            journal.Append((int)state, DateTimeOffset.UnixEpoch, reason);
    }

    private JobJournal Create(JobRole role = JobRole.Source)
    {
        new StateDirectory(_directory).Create();
        Assert.True(ContainerName.TryParse("web", out ContainerName name));
        return JobJournal.Create(FilePath, new JournalHead(_job, role, name, "runc", "/bundle", "/bundle/rootfs", "peer", DateTimeOffset.UnixEpoch));
    }
}
