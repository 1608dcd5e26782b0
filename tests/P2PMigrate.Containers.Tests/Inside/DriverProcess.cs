using System.Diagnostics;

namespace P2PMigrate.Containers.Tests.Inside;

/// <summary>One of <see cref="Drivers"/> as a process of its own.</summary>
internal sealed class DriverProcess : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    private DriverProcess(Process process) => _process = process;

    /// <summary>Starts a driver and waits until it says that it got where it should.</summary>
    public static async Task<DriverProcess> StartAsync(string driver, string container)
    {
        var start = new ProcessStartInfo(
            Environment.ProcessPath!,
            [typeof(Drivers).Assembly.Location, "--filter-method", $"{typeof(Drivers).FullName}.{driver}", "--results-directory", "/tmp/results"])
        {
            RedirectStandardOutput = true,
        };
        start.Environment[Drivers.ContainerVariable] = container;
        var driverProcess = new DriverProcess(Process.Start(start)!);
        Task<string> output = driverProcess._process.StandardOutput.ReadToEndAsync();
        string reached = $"/data/job-{container}/source/{Drivers.ReachedFile}";
        for (long since = Stopwatch.GetTimestamp(); !File.Exists(reached); await Task.Yield())
        {
            Assert.True(!driverProcess._process.HasExited, driverProcess._process.HasExited ? await output : "");
            Assert.True(Stopwatch.GetElapsedTime(since) < s_limit, "the driver did not get there");
        }

        return driverProcess;
    }

    /// <summary>SIGKILL to it alone: what it started lives on.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public void Dispose() => _process.Dispose();
}
