using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

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
        Assert.Matches(@"^Rendezvous and relay on 127\.0\.0\.1:\d+ \(UDP\), second port \d+\.$", await server.StandardOutput.ReadLineAsync(_token));

        await EndAsync(server);

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

    [Theory]
    [InlineData("password=topsecret,{0}")]
    [InlineData("{0},password=top@topsecret://")]
    public async Task A_password_is_not_told_wherever_it_stands(string text)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        string redis = string.Format(CultureInfo.InvariantCulture, text, probe.LocalEndPoint);

        string told = await FailAsync("--listen", "127.0.0.1:0", "--redis", redis, "--json");

        Assert.Contains($"{probe.LocalEndPoint}", told, StringComparison.Ordinal);
        Assert.DoesNotContain("topsecret", told, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("redis://:topsecret@127.0.0.1:1")]
    [InlineData("topsecret@127.0.0.1:1")]
    [InlineData("redis://:topsecret=@127.0.0.1:1")]
    [InlineData("user:topsecret=@127.0.0.1:1")]
    public async Task A_redis_as_a_url_is_refused_with_what_to_type_and_not_repeated(string redis)
    {
        string told = await FailAsync("--listen", "127.0.0.1:0", "--redis", redis);
        Assert.Contains("HOST:PORT,user=", told, StringComparison.Ordinal);
        Assert.DoesNotContain("topsecret", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_is_not_there_is_a_mistake_of_the_command_line()
    {
        string file = Path.Combine(_state, "missing.pem");
        Assert.Contains(file, await FailAsync("--listen", "127.0.0.1:0", "--tls", "127.0.0.1:0", "--tls-certificate", file), StringComparison.Ordinal);
        await FailAsync("--listen", "127.0.0.1:0", "--tls", "127.0.0.1:0", "--tls-certificate", "");
    }

    [Fact]
    public async Task A_second_port_that_nobody_asked_for_is_left_out_when_it_is_taken_and_that_is_told()
    {
        (int first, Socket taken) = TakeSecond();
        using (taken)
        {
            using Process server = Start("--listen", $"127.0.0.1:{first}", "--alternate", "127.0.0.2", "--tls", "127.0.0.1:0", "--json");
            JsonElement told = JsonDocument.Parse((await server.StandardOutput.ReadLineAsync(_token))!).RootElement;
            await EndAsync(server);

            Assert.Equal($"127.0.0.1:{first}", told.GetProperty("address").GetString());
            Assert.Equal(first + 1, told.GetProperty("secondPortLeftOut").GetInt32());
            Assert.False(told.TryGetProperty("secondPort", out _));
            Assert.StartsWith("127.0.0.2:", told.GetProperty("alternate").GetString(), StringComparison.Ordinal);
            Assert.StartsWith("127.0.0.1:", told.GetProperty("tls").GetString(), StringComparison.Ordinal);

            string refused = await FailAsync("--listen", $"127.0.0.1:{first}", "--second-port", $"{first + 1}");
            Assert.Contains($"127.0.0.1:{first + 1}", refused, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_TLS_port_that_is_taken_is_what_the_message_is_about()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        (int first, Socket second) = TakeSecond();
        second.Dispose();

        string told = await FailAsync("--listen", $"127.0.0.1:{first}", "--alternate", "127.0.0.2", "--tls", $"{other.LocalEndPoint}");

        Assert.Contains($"TCP {other.LocalEndPoint}", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Servers_that_share_a_redis_have_to_say_where_they_are()
    {
        Assert.Contains("--advertise", await FailAsync("--redis", "127.0.0.1:1"), StringComparison.Ordinal);
        Assert.Contains("--redis", await FailAsync("--advertise", "127.0.0.1:1"), StringComparison.Ordinal);
    }

    // A port that is free, and the one after it, taken.
    private static (int First, Socket Second) TakeSecond()
    {
        while (true)
        {
            using var first = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            first.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            int port = ((IPEndPoint)first.LocalEndPoint!).Port;
            var second = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                second.Bind(new IPEndPoint(IPAddress.Loopback, port + 1));
                return (port, second);
            }
            catch (Exception error) when (error is SocketException or ArgumentOutOfRangeException)
            {
                second.Dispose(); // Somebody else's, or there is none after it.
            }
        }
    }

    private async Task EndAsync(Process server)
    {
        using Process kill = Process.Start("kill", ["-TERM", $"{server.Id}"]);
        await server.WaitForExitAsync(_token);
        Assert.Equal(0, server.ExitCode);
    }

    private async Task<string> FailAsync(params string[] arguments)
    {
        using Process server = Start(arguments);
        Task<string> results = server.StandardOutput.ReadToEndAsync(_token);
        string told = await server.StandardError.ReadToEndAsync(_token);
        await server.WaitForExitAsync(_token);
        Assert.Equal(2, server.ExitCode);
        return told + await results;
    }

    private Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo(
        Path.Combine(AppContext.BaseDirectory, "p2pmigrate"), ["rendezvous", "--state-dir", _state, .. arguments])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
