using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace P2PMigrate.Agent.Tests;

/// <summary>What the operator of a server types and sees. The program as it was built beside these tests; no power is needed.</summary>
public sealed class RendezvousCommandTests : IDisposable
{
    private readonly CancellationToken _token = TestContext.Current.CancellationToken;
    private readonly string _state = Directory.CreateTempSubdirectory("p2pmigrate-rendezvous-").FullName;

    public void Dispose() => Directory.Delete(_state, recursive: true);

    [Fact]
    public async Task A_server_says_where_it_listens_and_ends_well_when_it_is_told_to()
    {
        using Process server = Start("--listen", "127.0.0.1:0");
        Assert.Matches(@"^Rendezvous and relay on 127\.0\.0\.1:\d+ \(UDP\)\.$", await server.StandardOutput.ReadLineAsync(_token));

        using Process kill = Process.Start("kill", ["-TERM", $"{server.Id}"]);
        await server.WaitForExitAsync(_token);

        Assert.Equal(0, server.ExitCode);
        Assert.Equal("", await server.StandardError.ReadToEndAsync(_token));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_without_a_word_about_containers()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        string told = await FailAsync("--listen", $"{other.LocalEndPoint}");

        Assert.Contains($"{other.LocalEndPoint}", told, StringComparison.Ordinal);
        Assert.DoesNotContain("container", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redis_that_is_not_there_is_told_without_its_password()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound and not listening: nobody is there, and nobody else comes

        string told = await FailAsync("--listen", "127.0.0.1:0", "--redis", $"{probe.LocalEndPoint},password=topsecret");

        Assert.Contains($"{probe.LocalEndPoint}", told, StringComparison.Ordinal);
        Assert.DoesNotContain("topsecret", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Servers_that_share_a_redis_have_to_say_where_they_are()
    {
        Assert.Contains("--advertise", await FailAsync("--redis", "127.0.0.1:1"), StringComparison.Ordinal);
        Assert.Contains("--redis", await FailAsync("--advertise", "127.0.0.1:1"), StringComparison.Ordinal);
    }

    private async Task<string> FailAsync(params string[] arguments)
    {
        using Process server = Start(arguments);
        string told = await server.StandardError.ReadToEndAsync(_token);
        await server.WaitForExitAsync(_token);
        Assert.Equal(2, server.ExitCode);
        return told;
    }

    private Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo(
        Path.Combine(AppContext.BaseDirectory, "p2pmigrate"), ["rendezvous", "--state-dir", _state, .. arguments])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
