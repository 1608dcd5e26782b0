using System.Globalization;
using System.Text.Json;
using P2PMigrate.Lab;
using P2PMigrate.TunnelBench.Ground;

namespace P2PMigrate.TunnelBench.Behaviour;

/// <summary>The two programs of <see cref="PeerProgram"/>, running in the nodes of a network.</summary>
internal sealed class PeerPair : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly LabProcess _serve;
    private readonly LabProcess _run;

    private PeerPair(LabProcess serve, LabProcess run) => (_serve, _run) = (serve, run);

    /// <summary>Starts both; returns when they are connected.</summary>
    public static async Task<PeerPair> StartAsync(BenchNetwork network, string mode, TimeSpan time, CancellationToken cancellationToken)
    {
        string program = typeof(PeerPair).Assembly.Location;
        LabProcess serve = await network.Far.StartAsync("dotnet", [program, "peer-serve", BenchNetwork.FarAddress], cancellationToken);
        string ticket = await serve.Output.WaitForAsync(line => line.StartsWith("p2pm1", StringComparison.Ordinal), s_patience, cancellationToken);
        LabProcess run = await network.Near.StartAsync(
            "dotnet", [program, "peer-run", ticket, mode, time.TotalSeconds.ToString(CultureInfo.InvariantCulture)], cancellationToken);
        await run.Output.WaitForAsync(line => line == "connected", s_patience, cancellationToken);
        return new PeerPair(serve, run);
    }

    /// <summary>Waits for the end: how long each question took, in ms, and when what came.</summary>
    public async Task<(double[] Answers, ArrivalLog Arrivals)> EndAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        string answers = await _run.Output.WaitForAsync(line => line.StartsWith('{'), time + s_patience, cancellationToken);
        string arrivals = await _serve.Output.WaitForAsync(line => line.StartsWith('['), s_patience, cancellationToken);
        return (JsonDocument.Parse(answers).RootElement.GetProperty("answers").Deserialize<double[]>()!, ArrivalLog.Parse(arrivals));
    }

    public async ValueTask DisposeAsync()
    {
        await _run.DisposeAsync();
        await _serve.DisposeAsync();
    }
}
