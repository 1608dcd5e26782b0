using System.Diagnostics;
using System.Text.Json;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;

namespace P2PMigrate.Agent.Tests;

/// <summary>What a person sees of unfinished migrations, and says about them. The program as it was built beside these tests; no power is needed.</summary>
public sealed class JobsCommandTests : IDisposable
{
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;
    private readonly StateDirectory _state = new(Directory.CreateTempSubdirectory("p2pmigrate-jobs-").FullName);

    public JobsCommandTests() => _state.Create();

    public void Dispose() => Directory.Delete(_state.Root, recursive: true);

    [Fact]
    public async Task Without_jobs_there_is_a_sentence_and_as_json_nothing()
    {
        Assert.Equal((0, "No migration is in progress here, and none was left unfinished."), await RunAsync("jobs"));
        Assert.Equal((0, ""), await RunAsync("jobs", "--json"));
    }

    [Fact]
    [Trait("Spec", "MIG-130")]
    public async Task Each_job_is_listed_with_where_the_container_runs_and_what_to_type()
    {
        JobId copying = Leave("web", JobRole.Source, (int)SourceState.Copying);
        JobId frozen = Leave("db", JobRole.Source, (int)SourceState.Copying, (int)SourceState.Freezing);
        JobId committed = Leave("cache", JobRole.Source, (int)SourceState.Copying, (int)SourceState.Freezing, (int)SourceState.Committed);
        JobId arriving = Leave("mail", JobRole.Target, (int)TargetState.Receiving);

        (int code, string told) = await RunAsync("jobs", "--json");

        Assert.Equal(0, code);
        Dictionary<string, JsonElement> jobs = told.Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(job => Text(job, "jobId"));
        Assert.Equal(4, jobs.Count);
        Assert.Equal(("job", "web", "source", "copying", "source"), Facts(jobs[$"{copying}"]));
        Assert.Equal(("job", "db", "source", "freezing", "none"), Facts(jobs[$"{frozen}"]));
        Assert.Equal(("job", "cache", "source", "committed", "unknown"), Facts(jobs[$"{committed}"]));
        Assert.Equal(("job", "mail", "target", "receiving", "source"), Facts(jobs[$"{arriving}"]));
        Assert.Equal([$"p2pmigrate abort {copying}"], Commands(jobs[$"{copying}"]));
        Assert.Equal([$"p2pmigrate resolve {committed} --keep target", $"p2pmigrate resolve {committed} --keep source"], Commands(jobs[$"{committed}"]));
        Assert.False(jobs[$"{copying}"].TryGetProperty("pid", out _));
        Assert.Equal(DateTimeOffset.UnixEpoch, jobs[$"{copying}"].GetProperty("since").GetDateTimeOffset());
    }

    [Fact]
    public async Task People_get_a_table_whose_columns_stand_below_each_other()
    {
        Leave("a-container-with-a-long-name", JobRole.Source, (int)SourceState.Copying);
        JobId job = Leave("db", JobRole.Target, (int)TargetState.Receiving, (int)TargetState.Restoring, (int)TargetState.Releasing);

        string[] lines = (await RunAsync("jobs")).Told.Split('\n');

        string[] rows = [.. lines.Where(line => !line.StartsWith(' '))];
        Assert.Equal(3, rows.Length);
        int role = rows[0].IndexOf("ROLE", StringComparison.Ordinal);
        Assert.Equal(["ROLE", "sour", "targ"], rows.Select(row => row.Substring(role, 4)).Order(StringComparer.Ordinal));
        Assert.Contains($"    p2pmigrate resolve {job} --keep target", lines);
    }

    [Fact]
    [Trait("Spec", "MIG-130")]
    public async Task A_journal_that_cannot_be_trusted_is_listed_beside_the_others_with_the_reason()
    {
        JobId good = Leave("web", JobRole.Source, (int)SourceState.Copying);
        JobId damaged = Leave("db", JobRole.Source, (int)SourceState.Copying);
        File.WriteAllBytes(_state.Journal(damaged), [1, 2, 3]);

        (int code, string told) = await RunAsync("jobs");

        Assert.Equal(0, code);
        Assert.Contains($"job {good}", told, StringComparison.Ordinal);
        Assert.Contains("3 bytes long", told, StringComparison.Ordinal);
        Assert.Contains($"p2pmigrate resolve {damaged} --keep source", told, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Spec", "MIG-130")]
    public async Task A_job_in_progress_is_told_with_its_process_and_not_disturbed()
    {
        using JobJournal journal = Begin("web", JobRole.Source, out JobId job);
        journal.Append((int)SourceState.Copying, DateTimeOffset.UnixEpoch);

        string told = (await RunAsync("jobs")).Told;

        Assert.Contains($"job {job}: In progress (process {Environment.ProcessId}).", told, StringComparison.Ordinal);
        Assert.Contains($"p2pmigrate abort {job}", told, StringComparison.Ordinal);
        journal.Append((int)SourceState.RolledBack, DateTimeOffset.UnixEpoch);
        journal.Delete();
        Assert.Equal("No migration is in progress here, and none was left unfinished.", (await RunAsync("jobs")).Told);
    }

    [Theory]
    [Trait("Spec", "MIG-131")]
    [Trait("Spec", "MIG-132")]
    [InlineData("abort")]
    [InlineData("resume")]
    public async Task A_job_that_was_interrupted_before_the_freeze_is_undone_and_gone(string command)
    {
        JobId job = Leave("web", JobRole.Source, (int)SourceState.Copying);

        (int code, string told) = await RunAsync(command, $"{job}", "--json");

        Assert.True(code == 9, told);
        Assert.Equal(("recovered", "thawed", "none"), Recovered(told)); // there is no such container
        Assert.Contains("runc run -d -b ", told, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_state.Journals));
        Assert.Equal(2, (await RunAsync(command, $"{job}")).Code);
    }

    [Fact]
    [Trait("Spec", "MIG-131")]
    public async Task What_has_committed_is_not_aborted_and_what_to_type_is_told()
    {
        JobId committed = Leave("web", JobRole.Source, (int)SourceState.Copying, (int)SourceState.Freezing, (int)SourceState.Committed);
        JobId destroying = Leave("db", JobRole.Source, (int)SourceState.Copying, (int)SourceState.Freezing, (int)SourceState.Committed, (int)SourceState.Destroying);
        JobId arrived = Leave("mail", JobRole.Target, (int)TargetState.Receiving, (int)TargetState.Restoring, (int)TargetState.Releasing, (int)TargetState.Confirming);

        (int inDoubt, string doubt) = await RunAsync("abort", $"{committed}");
        (int tooLate, string late) = await RunAsync("abort", $"{destroying}");
        (int here, _) = await RunAsync("abort", $"{arrived}");

        Assert.Equal((6, 2, 2), (inDoubt, tooLate, here));
        Assert.Contains($"p2pmigrate resolve {committed} --keep", doubt, StringComparison.Ordinal);
        Assert.Contains($"p2pmigrate resume {destroying}", late, StringComparison.Ordinal);
        Assert.Equal(3, Directory.EnumerateFileSystemEntries(_state.Journals).Count());
    }

    [Fact]
    [Trait("Spec", "MIG-132")]
    public async Task Resuming_finishes_what_was_heard_running_and_leaves_a_doubt_to_a_person()
    {
        JobId committed = Leave("web", JobRole.Source, (int)SourceState.Copying, (int)SourceState.Freezing, (int)SourceState.Committed);
        JobId destroying = Leave("db", JobRole.Source, (int)SourceState.Copying, (int)SourceState.Freezing, (int)SourceState.Committed, (int)SourceState.Destroying);

        (int done, string told) = await RunAsync("resume", $"{destroying}", "--json");
        (int inDoubt, string doubt) = await RunAsync("resume", $"{committed}");

        Assert.True(done == 0, told);
        Assert.Equal(("recovered", "destroyed", "target"), Recovered(told));
        Assert.Equal(6, inDoubt);
        Assert.Contains($"p2pmigrate resolve {committed} --keep target", doubt, StringComparison.Ordinal);
        Assert.Equal([_state.Journal(committed)], Directory.EnumerateFileSystemEntries(_state.Journals));
    }

    [Fact]
    [Trait("Spec", "MIG-131")]
    public async Task Aborting_a_job_in_progress_leaves_its_process_a_request_and_waits_for_the_end()
    {
        using JobJournal journal = Begin("web", JobRole.Source, out JobId job);
        journal.Append((int)SourceState.Copying, DateTimeOffset.UnixEpoch);
        Directory.CreateDirectory(_state.Job(job));

        Task<(int Code, string Told)> aborting = RunAsync("abort", $"{job}", "--json");
        while (!File.Exists(Path.Combine(_state.Job(job), "abort")) && !aborting.IsCompleted)
            await Task.Delay(20, _token);
        (int refused, string resume) = await RunAsync("resume", $"{job}");
        journal.Append((int)SourceState.RolledBack, DateTimeOffset.UnixEpoch);
        Directory.Delete(_state.Job(job), recursive: true);
        journal.Delete();

        (int code, string told) = await aborting;
        Assert.True(code == 9, told);
        Assert.Equal(("recovered", "thawed", "none"), Recovered(told)); // there is no such container
        Assert.Equal(2, refused);
        Assert.Contains($"p2pmigrate abort {job}", resume, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_job_is_a_mistake_of_the_command_line()
    {
        Assert.Equal(2, (await RunAsync("abort", "web")).Code);
        Assert.Equal(2, (await RunAsync("resume", $"{JobId.Create()}")).Code);
        Assert.Equal(2, (await RunAsync("abort")).Code);
    }

    private JobId Leave(string container, JobRole role, params int[] states)
    {
        using JobJournal journal = Begin(container, role, out JobId job);
        foreach (int state in states)
            journal.Append(state, DateTimeOffset.UnixEpoch);
        return job;
    }

    private JobJournal Begin(string container, JobRole role, out JobId job)
    {
        job = JobId.Create();
        Assert.True(ContainerName.TryParse(container, out ContainerName name));
        return JobJournal.Create(_state.Journal(job), new JournalHead(job, role, name, "runc", "/bundle", "/bundle/rootfs", "a-peer", DateTimeOffset.UnixEpoch));
    }

    private static string Text(JsonElement job, string property) => job.GetProperty(property).GetString()!;

    private static (string, string, string, string, string) Facts(JsonElement job) =>
        (Text(job, "event"), Text(job, "container"), Text(job, "role"), Text(job, "state"), Text(job, "runningAt"));

    private static string[] Commands(JsonElement job) => [.. job.GetProperty("commands").EnumerateArray().Select(command => command.GetString()!)];

    private static (string, string, string) Recovered(string told)
    {
        JsonElement last = JsonDocument.Parse(told.Split('\n')[^1]).RootElement;
        return (Text(last, "event"), Text(last, "action"), Text(last, "runningAt"));
    }

    private async Task<(int Code, string Told)> RunAsync(params string[] arguments)
    {
        using Process program = Process.Start(new ProcessStartInfo(
            Path.Combine(AppContext.BaseDirectory, "p2pmigrate"), [.. arguments, "--state-dir", _state.Root])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = program.StandardError.ReadToEndAsync(_token);
        string told = await program.StandardOutput.ReadToEndAsync(_token);
        await program.WaitForExitAsync(_token);
        return (program.ExitCode, (told + await errors).TrimEnd('\n'));
    }
}
