using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace P2PMigrate.Rendezvous.Tests.Fleet;

/// <summary>A real redis-server on a free port of loopback, without files. One test owns it.</summary>
internal sealed class RedisProcess : IAsyncDisposable
{
    private const string Program = "/usr/bin/redis-server";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-redis-").FullName;
    private Process? _process;

    private RedisProcess(int port) => Port = port;

    public int Port { get; }

    /// <summary>As it is typed after <c>--redis</c>.</summary>
    public string Address => $"127.0.0.1:{Port}";

    /// <summary>Starts one; skips the test where redis is not installed.</summary>
    public static async Task<RedisProcess> StartAsync(CancellationToken cancellationToken)
    {
        Assert.SkipUnless(File.Exists(Program), "redis-server is not installed; tests/install does that.");
        var redis = new RedisProcess(FreePort());
        await redis.StartAgainAsync(cancellationToken);
        return redis;
    }

    /// <summary>Starts it, empty, on the same port.</summary>
    public async Task StartAgainAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Program) { RedirectStandardOutput = true, WorkingDirectory = _directory };
        foreach (string argument in (string[])["--port", $"{Port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"])
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        while (await _process.StandardOutput.ReadLineAsync(patience.Token) is { } line && !line.Contains("Ready to accept", StringComparison.Ordinal))
        {
        }

        _ = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Assert.False(_process.HasExited, "redis-server did not start.");
    }

    /// <summary>Stops its work without closing anything: it is slow without end.</summary>
    public void Pause() => Signal("STOP");

    /// <summary>Lets it go on.</summary>
    public void Resume() => Signal("CONT");

    public async Task KillAsync()
    {
        if (_process is null)
            return;
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    private void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", $"{_process!.Id}"]);
        kill.WaitForExit();
    }
}
