using P2PMigrate.Migration.Machines;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Tests.Machines;

/// <summary>When the live rounds end, and what is predicted.</summary>
[Trait("Spec", "MIG-84")]
public sealed class ConvergenceTests
{
    private const long Mega = 1 << 20;
    private static readonly DowntimeCosts s_costs = new(TimeSpan.FromMilliseconds(100), TimeSpan.Zero);

    [Fact]
    [Trait("Spec", "MIG-83")]
    public void A_prediction_is_fixed_costs_and_pages_and_what_must_be_sent()
    {
        var convergence = new Convergence(new CopyOptions(), new DowntimeCosts(TimeSpan.FromMilliseconds(100), TimeSpan.FromMicroseconds(5)));
        convergence.Judge(new RoundFigures(0, Round(megabytes: 1000, sent: 1000, seconds: 10)));

        // 10 MB changed in 10 s; the pass takes 1 s, so 1 MB is expected, which takes 10 ms at 100 MB/s.
        RoundSummary second = convergence.Judge(new RoundFigures(0, Round(1000, sent: 10, seconds: 1, interval: 10, changed: 20)));

        Assert.Equal(100 * Mega, convergence.Rate);
        Assert.Equal(Mega, second.ExpectedBytes);
        Assert.Equal(100 + 10 + (1000 * 256 * 0.005), second.PredictedDowntime!.Value.TotalMilliseconds, 3);
        Assert.Equal(2.0 * Mega, second.DirtyBytesPerSecond);
    }

    [Fact]
    [Trait("Spec", "MIG-83")]
    public void Files_that_change_and_a_long_way_make_a_longer_downtime()
    {
        var convergence = new Convergence(new CopyOptions(), s_costs);
        RoundSummary first = convergence.Judge(new RoundFigures(100 * Mega, Round(1000, 1000, 10)), TimeSpan.FromMilliseconds(80));
        RoundSummary second = convergence.Judge(new RoundFigures(2 * Mega, Round(1000, 10, 1, 10, 10)), TimeSpan.FromMilliseconds(80));
        Assert.Equal(100 + 400 + 10_000, first.PredictedDowntime!.Value.TotalMilliseconds, 3);
        Assert.Equal(100 + 400 + 10 + 20, second.PredictedDowntime!.Value.TotalMilliseconds, 3);
    }

    [Fact]
    public void The_first_round_expects_everything_and_is_the_last_when_even_that_is_soon_sent()
    {
        RoundSummary large = new Convergence(new CopyOptions(), s_costs).Judge(new RoundFigures(0, Round(1000, 1000, 10)));
        RoundSummary small = new Convergence(new CopyOptions(), s_costs).Judge(new RoundFigures(0, Round(15, 15, 0.15)));

        Assert.Equal((RoundsEnd.None, 1000 * Mega), (large.End, large.ExpectedBytes));
        Assert.Equal((RoundsEnd.TargetMet, 15 * Mega), (small.End, small.ExpectedBytes));
        Assert.Null(large.DirtyBytesPerSecond);
    }

    [Fact]
    public void Rounds_end_when_the_target_is_met_but_not_before_the_files_have_converged()
    {
        var convergence = new Convergence(new CopyOptions(), s_costs);
        Assert.Equal(RoundsEnd.None, convergence.Judge(new RoundFigures(500 * Mega, Round(10, 10, 0.1))).End);
        Assert.Equal(RoundsEnd.TargetMet, convergence.Judge(new RoundFigures(1 * Mega, Round(10, 1, 0.1, 1, 1))).End);
    }

    [Fact]
    public void Rounds_end_when_the_prediction_stands_still()
    {
        var convergence = new Convergence(new CopyOptions { DowntimeTarget = TimeSpan.Zero }, s_costs);
        RoundsEnd[] ends =
        [
            convergence.Judge(new RoundFigures(0, Round(1000, 1000, 10))).End,
            convergence.Judge(new RoundFigures(0, Round(1000, 50, 2, 10, 50))).End,
            convergence.Judge(new RoundFigures(0, Round(1000, 10, 2, 2, 10))).End,
        ];
        Assert.Equal([RoundsEnd.None, RoundsEnd.None, RoundsEnd.NotImproving], ends);
    }

    [Fact]
    public void A_container_that_changes_faster_than_the_link_carries_is_recognised_and_not_copied_for_ever()
    {
        var convergence = new Convergence(new CopyOptions(), s_costs);
        Assert.Equal(RoundsEnd.None, convergence.Judge(new RoundFigures(0, Round(1000, 1000, 10))).End);
        Assert.Equal(RoundsEnd.DirtierThanLink, convergence.Judge(new RoundFigures(0, Round(1000, 1000, 10, 10, 1000))).End);
    }

    [Theory]
    [InlineData(MigrationMode.Auto, true, true)]
    [InlineData(MigrationMode.Auto, false, false)]
    [InlineData(MigrationMode.PreCopy, true, false)]
    [InlineData(MigrationMode.Hybrid, false, true)]
    [Trait("Spec", "MIG-106")]
    public void Memory_is_left_for_later_where_that_was_wanted_or_a_downtime_cannot_be_had_otherwise(MigrationMode mode, bool mayFollow, bool leaves)
    {
        var convergence = new Convergence(new CopyOptions { Mode = mode, MayFollow = mayFollow }, s_costs);
        convergence.Judge(new RoundFigures(0, Round(1000, 1000, 10)));
        convergence.Judge(new RoundFigures(0, Round(1000, 1000, 10, 10, 1000)));
        Assert.Equal(leaves, convergence.Leaves);
    }

    [Fact]
    [Trait("Spec", "MIG-106")]
    public void Nothing_is_left_for_later_where_the_downtime_is_met()
    {
        var convergence = new Convergence(new CopyOptions { MayFollow = true }, s_costs);
        Assert.Equal(RoundsEnd.TargetMet, convergence.Judge(new RoundFigures(0, Round(15, 15, 0.15))).End);
        Assert.False(convergence.Leaves);
    }

    [Fact]
    [Trait("Spec", "MIG-83")]
    public void Nobody_waits_for_memory_that_follows()
    {
        var convergence = new Convergence(new CopyOptions { Mode = MigrationMode.Hybrid }, s_costs);
        RoundSummary first = convergence.Judge(new RoundFigures(0, Round(1000, 1000, 10)), TimeSpan.FromMilliseconds(10));
        Assert.Equal((RoundsEnd.TargetMet, 100 + 50), (first.End, first.PredictedDowntime!.Value.TotalMilliseconds));
    }

    [Fact]
    [Trait("Spec", "MIG-83")]
    public void Memory_that_no_pass_sees_is_expected_to_be_sent_in_any_case()
    {
        var convergence = new Convergence(new CopyOptions(), s_costs);
        convergence.Judge(new RoundFigures(0, Round(1000, 1000, 10)));
        RoundSummary second = convergence.Judge(new RoundFigures(0, Round(1000, 10, 1, 10) with { UnseenBytes = 500 * Mega }));
        Assert.Equal((501 * Mega, RoundsEnd.None), (second.ExpectedBytes, second.End));
        Assert.Equal(100 + 5010, second.PredictedDowntime!.Value.TotalMilliseconds, 3);
    }

    [Fact]
    public void A_pass_that_found_nothing_out_predicts_nothing()
    {
        var convergence = new Convergence(new CopyOptions { MaxRounds = 2 }, s_costs);
        RoundSummary first = convergence.Judge(new RoundFigures(500 * Mega, Round(0, 0, 0)));
        Assert.Equal((RoundsEnd.None, null), (first.End, first.PredictedDowntime));
        Assert.Equal(RoundsEnd.RoundLimit, convergence.Judge(new RoundFigures(100 * Mega, Round(0, 0, 0, 1))).End);
        Assert.Equal(100 * Mega, new Convergence(new CopyOptions(), s_costs).Judge(new RoundFigures(0, Round(0, 0, 0) with { UnseenBytes = 100 * Mega })).ExpectedBytes);
    }

    [Fact]
    public void A_target_that_the_last_round_meets_is_told_as_met()
    {
        var convergence = new Convergence(new CopyOptions { MaxRounds = 1 }, s_costs);
        Assert.Equal(RoundsEnd.TargetMet, convergence.Judge(new RoundFigures(0, Round(5, 5, 0.1))).End);
    }

    [Fact]
    public void Rounds_end_at_the_limit_whatever_may_be_gained_and_when_the_target_has_no_room()
    {
        var limited = new Convergence(new CopyOptions { MaxRounds = 1 }, s_costs);
        Assert.Equal(RoundsEnd.RoundLimit, limited.Judge(new RoundFigures(0, Round(1000, 1000, 10))).End);
        var full = new Convergence(new CopyOptions(), s_costs);
        Assert.Equal(RoundsEnd.NoRoom, full.Judge(new RoundFigures(0, Round(1000, 1000, 10) with { IsFull = true })).End);
    }

    [Fact]
    public void A_pass_that_finds_little_does_not_make_the_link_slow()
    {
        var convergence = new Convergence(new CopyOptions(), s_costs);
        convergence.Judge(new RoundFigures(0, Round(1000, 1000, 10)));
        convergence.Judge(new RoundFigures(0, Round(1000, 2, 1, 10, 2)));
        Assert.Equal(100 * Mega, convergence.Rate);
        convergence.Judge(new RoundFigures(0, Round(1000, 900, 18, 10, 900)));
        Assert.Equal(50 * Mega, convergence.Rate);
    }

    [Fact]
    [Trait("Spec", "MIG-23")]
    public void Without_memory_rounds_the_files_alone_decide()
    {
        var convergence = new Convergence(new CopyOptions(), s_costs);
        Assert.Equal(RoundsEnd.None, convergence.Judge(new RoundFigures(100 * Mega)).End);
        RoundSummary last = convergence.Judge(new RoundFigures(1 * Mega));
        Assert.Equal(RoundsEnd.FilesConverged, last.End);
        Assert.Null(last.PredictedDowntime);
    }

    [Fact]
    public void However_the_figures_are_the_rounds_end()
    {
        var random = new Random(17);
        for (int run = 0; run < 2000; run++)
        {
            var convergence = new Convergence(new CopyOptions { MaxRounds = 1 + random.Next(CopyOptions.MaxRoundsLimit) }, s_costs);
            int rounds = 0;
            RoundSummary summary;
            do
            {
                Assert.True(++rounds <= CopyOptions.MaxRoundsLimit);
                summary = convergence.Judge(new RoundFigures(
                    random.NextInt64(1 << 30), Round(random.Next(5000), random.Next(5000), random.NextDouble() * random.Next(3), random.Next(3), random.Next(5000))));
                Assert.True(summary.PredictedDowntime is null || summary.PredictedDowntime >= TimeSpan.Zero);
            }
            while (summary.End == RoundsEnd.None);
        }
    }

    [Fact]
    [Trait("Spec", "MIG-83")]
    public void Fixed_costs_are_learned_from_what_migrations_took()
    {
        var model = new DowntimeModel();
        for (int migration = 0; migration < 40; migration++)
        {
            model.Learn(TimeSpan.FromMilliseconds(500 + 100), TimeSpan.FromMilliseconds(100), 0);
            model.Learn(TimeSpan.FromMilliseconds(500 + 2000 + 100), TimeSpan.FromMilliseconds(100), 100_000 * PageRun.PageSize);
        }

        Assert.Equal(500, model.Costs.Fixed.TotalMilliseconds, 5.0);
        Assert.Equal(20, model.Costs.PerPage.TotalMicroseconds, 0.2);
        model.Learn(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(100), 0);
        Assert.Equal(500, model.Costs.Fixed.TotalMilliseconds, 5.0);
    }

    [Fact]
    [Trait("Spec", "MIG-124")]
    public void The_first_migration_teaches_all_it_can_later_ones_half_and_none_more_than_fourfold()
    {
        var model = new DowntimeModel();
        model.Learn(DowntimeModel.DefaultFixed * 2, default, 0);
        Assert.Equal(DowntimeModel.DefaultFixed * 2, model.Costs.Fixed);
        model.Learn(DowntimeModel.DefaultFixed * 3, default, 0);
        Assert.Equal(DowntimeModel.DefaultFixed * 2.5, model.Costs.Fixed);
        model.Learn(TimeSpan.FromMinutes(1), default, 0);
        Assert.Equal(DowntimeModel.DefaultFixed * 2.5 * 2.5, model.Costs.Fixed);
        Assert.Equal(DowntimeModel.DefaultPerPage, model.Costs.PerPage);
    }

    [Fact]
    [Trait("Spec", "MIG-123")]
    public void A_peers_experience_counts_like_ones_own()
    {
        var told = new DowntimeCosts(TimeSpan.FromSeconds(1), TimeSpan.FromMicroseconds(20), 3);
        var stranger = new Convergence(new CopyOptions(), DowntimeCosts.Usual);
        stranger.Hear(null);
        Assert.Equal(DowntimeCosts.Usual, stranger.Costs);
        stranger.Hear(told);
        Assert.Equal(told with { Fixed = 4 * DowntimeCosts.Usual.Fixed }, stranger.Costs);
        var old = new Convergence(new CopyOptions(), new DowntimeCosts(TimeSpan.FromSeconds(3), TimeSpan.FromMicroseconds(10), 1));
        old.Hear(told);
        Assert.Equal(new DowntimeCosts(TimeSpan.FromSeconds(2), TimeSpan.FromMicroseconds(15), 3), old.Costs);

        var model = new DowntimeModel();
        model.Learn(TimeSpan.FromSeconds(1.5), default, 0, assumed: told);
        Assert.Equal((TimeSpan.FromSeconds(1.25), 4), (model.Costs.Fixed, model.Costs.Migrations));
    }

    [Fact]
    [Trait("Spec", "MIG-83")]
    public void What_is_learned_outlives_the_process_and_a_file_that_makes_no_sense_is_none()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("p2pmigrate-downtimes-").FullName, "downtimes.json");
        try
        {
            var model = new DowntimeModel(path);
            Assert.Equal(DowntimeModel.DefaultFixed, model.Costs.Fixed);
            model.Learn(DowntimeModel.DefaultFixed * 3, default, 0);
            Assert.Equal((DowntimeModel.DefaultFixed * 3, 1), (new DowntimeModel(path).Costs.Fixed, new DowntimeModel(path).Costs.Migrations));
            Assert.Equal([path], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(path)!));
            string[] senseless = ["", "{", "[]", "null", "{}", """{"fixedMilliseconds":"1"}""", """{"fixedMilliseconds":-1,"perPageMicroseconds":1,"migrations":1}""",
                """{"fixedMilliseconds":1e300,"perPageMicroseconds":1,"migrations":1}""", """{"fixedMilliseconds":1,"perPageMicroseconds":0,"migrations":1}""", """{"fixedMilliseconds":1,"perPageMicroseconds":1}""", new string(' ', 10_000)];
            foreach (string text in senseless)
            {
                File.WriteAllText(path, text);
                Assert.Equal(DowntimeModel.DefaultFixed, new DowntimeModel(path).Costs.Fixed);
            }

            new DowntimeModel("/proc/none/downtimes.json").Learn(TimeSpan.FromSeconds(1), default, 0);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    [Fact]
    [Trait("Spec", "MIG-83")]
    public void The_default_target_is_within_reach_of_a_small_container() =>
        Assert.Equal(RoundsEnd.TargetMet, new Convergence(new CopyOptions(), new DowntimeModel().Costs).Judge(new RoundFigures(0, Round(2, 1, 0.02))).End);

    private static MemoryRound Round(long megabytes, long sent, double seconds, double? interval = null, long changed = 0) => new(
        megabytes * 256, sent * 256, changed * 256, sent * Mega, TimeSpan.FromSeconds(seconds),
        interval is { } value ? TimeSpan.FromSeconds(value) : null, IsFull: false);
}
