using System.Diagnostics;

namespace P2PMigrate.Agent.Tests;

/// <summary>What commands say that fail before there is any container. The program as it was built beside these tests; no power is needed.</summary>
public sealed class FailureWordsTests : IDisposable
{
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;
    private readonly string _state = Directory.CreateTempSubdirectory("p2pmigrate-words-").FullName;

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Theory]
    [InlineData("receive", "--listen", "nowhere", "--no-punching", "--no-port-mapping")]
    [InlineData("ping", "p2pm1nothing", "--no-punching", "--no-port-mapping")]
    [InlineData("speedtest", "p2pm1nothing", "--no-punching", "--no-port-mapping")]
    [InlineData("ping", "p2pm1nothing", "--turn", "turn:user:hush@nowhere:0")]
    [InlineData("netcheck", "--rendezvous", "nowhere", "--no-port-mapping")]
    [InlineData("migrate", "web", "-s", "import-data", "-d", "/", "--from", "nobody")]
    [InlineData("migrate", "web", "-s", "restore-dump")]
    public async Task Who_moves_no_container_says_nothing_of_one(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "p2pmigrate"), [.. arguments, "--state-dir", _state])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> results = process.StandardOutput.ReadToEndAsync(_token);
        string told = await process.StandardError.ReadToEndAsync(_token) + await results;
        await process.WaitForExitAsync(_token);

        Assert.Equal(2, process.ExitCode);
        Assert.StartsWith("Failed: ", told, StringComparison.Ordinal);
        Assert.DoesNotContain("container", told, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", told, StringComparison.Ordinal);
    }
}
