using System.Diagnostics;

namespace P2PMigrate.Tunnel.Tests.Api;

/// <summary>The sample that the README shows runs as it stands.</summary>
public sealed class SampleTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task The_sample_carries_its_input_to_the_other_program()
    {
        CancellationToken token = TestContext.Current.CancellationToken;
        using Process receive = Start("receive");
        string ticket = (await receive.StandardOutput.ReadLineAsync(token).AsTask().WaitAsync(s_limit, token))!;
        using Process send = Start("send", ticket);
        await send.StandardInput.WriteAsync("over there");
        send.StandardInput.Close();
        Assert.Equal("over there", await receive.StandardOutput.ReadToEndAsync(token).WaitAsync(s_limit, token));
        await Task.WhenAll(send.WaitForExitAsync(token), receive.WaitForExitAsync(token)).WaitAsync(s_limit, token);
        Assert.Equal((0, 0), (send.ExitCode, receive.ExitCode));
    }

    private static Process Start(params string[] arguments) => Process.Start(
        new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "P2PMigrate.TunnelSample.dll"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
}
