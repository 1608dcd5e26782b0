using System.Diagnostics;

namespace P2PMigrate.Snapshot.Tests.Support;

/// <summary>A directory of a test's own, gone when the test is over.</summary>
internal sealed class TestDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("p2pmigrate-snapshot-").FullName;

    /// <summary>A new directory inside.</summary>
    public string Make(string name) => Directory.CreateDirectory(System.IO.Path.Combine(Path, name)).FullName;

    public void Dispose() => Sh(Path, "rm -rf -- \"$PWD\"");

    /// <summary>Runs a shell script in a directory; what it prints is returned, what goes wrong fails the test.</summary>
    public static string Sh(string directory, string script)
    {
        ProcessStartInfo start = new("/bin/sh", ["-euc", script])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["LC_ALL"] = "C", ["TZ"] = "UTC" },
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"sh failed with {process.ExitCode}: {errors.Result}");
        return output;
    }
}
