using System.Diagnostics;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>Runs shell scripts in the host that the test itself runs in.</summary>
internal static class Shell
{
    /// <summary>Runs a script that stops at its first failing command; returns what it printed, or fails the test.</summary>
    public static async Task<string> RunAsync(string script)
    {
        using Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-ec", script]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"`{script}` exited with {process.ExitCode}: {output}{await error}");
        return output.Trim();
    }
}
