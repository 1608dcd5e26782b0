namespace P2PMigrate.Lab.Tests;

public sealed class LabProcessTests : LabTest, IAsyncLifetime
{
    private LoneHost _lone = null!;

    public async ValueTask InitializeAsync() => _lone = await LoneHost.RaiseAsync();

    public async ValueTask DisposeAsync()
    {
        if (_lone is not null) await _lone.DisposeAsync();
    }

    [Fact]
    public async Task Lines_arrive_while_the_program_runs()
    {
        await using LabProcess echo = await _lone.Host.StartAsync("sh", ["-c", "while read line; do echo got $line; done; echo end"]);

        await echo.Input.WriteAsync("one\n");
        await echo.Input.FlushAsync();
        Assert.Equal("got one", await echo.Output.WaitForAsync(line => line.StartsWith("got", StringComparison.Ordinal), Patience));
        echo.Input.Close();

        Assert.Equal("got one\nend", (await echo.CompleteAsync()).Output);
    }

    [Fact]
    public async Task A_line_that_never_comes_is_an_error_that_shows_what_came_instead()
    {
        await using LabProcess process = await _lone.Host.StartAsync("echo", ["something else"]);

        LabException failure = await Assert.ThrowsAsync<LabException>(() => process.Output.WaitForAsync(line => line == "ready", Patience));

        Assert.Contains("something else", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_pid_is_that_of_the_program_outside()
    {
        await using LabProcess sleeper = await _lone.Host.StartAsync("sleep", ["1000"]);

        await UntilAsync(() => File.ReadAllText($"/proc/{sleeper.Pid}/comm") == "sleep\n");
    }

    [Fact]
    public async Task What_a_script_leaves_running_does_not_hold_a_wait_that_is_given_up()
    {
        using var patience = new CancellationTokenSource();
        Task<string> waiting = _lone.Host.ShellAsync("sleep 1000 & touch /tmp/left", patience.Token);
        await UntilAsync(() => File.Exists(_lone.Host.PathOf("/tmp/left")));

        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience));
    }

    [Fact]
    public async Task Kill_ends_the_program_with_the_signal_and_spares_its_children()
    {
        await using LabProcess parent = await _lone.Host.StartAsync("sh", ["-c", "sleep 1000 & echo $!; wait"]);
        string child = await parent.Output.WaitForAsync(_ => true, Patience);

        await parent.KillAsync();

        Assert.Equal(128 + 9, await parent.WaitForExitAsync());
        await _lone.Host.ShellAsync($"test -e /proc/{child}");
    }

    [Fact]
    public async Task Kill_takes_the_children_along_when_asked()
    {
        await using LabProcess parent = await _lone.Host.StartAsync("sh", ["-c", "sleep 1000 & echo $!; wait"]);
        string child = await parent.Output.WaitForAsync(_ => true, Patience);

        await parent.KillAsync(withDescendants: true);

        await _lone.Host.ShellAsync($"while [ -e /proc/{child} ]; do sleep 0.01; done");
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition()) await Task.Delay(5, limit.Token);
    }
}
