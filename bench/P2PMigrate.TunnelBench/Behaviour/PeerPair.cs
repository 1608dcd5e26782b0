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
    private readonly bool _isPulling;

    private PeerPair(LabProcess serve, LabProcess run, bool isPulling) => (_serve, _run, _isPulling) = (serve, run, isPulling);

    /// <summary>Starts both; returns when they are connected.</summary>
    public static Task<PeerPair> StartAsync(BenchNetwork network, string mode, TimeSpan time, CancellationToken cancellationToken) =>
        StartAsync(network.Near, network.Far, BenchNetwork.FarAddress, mode, time, [], cancellationToken);

    /// <summary>
    /// Starts the program that dials in <paramref name="near"/> and the one that serves in <paramref name="far"/>, with
    /// <paramref name="options"/> (<see cref="PeerProgram.ServeAsync"/>).
    /// </summary>
    public static async Task<PeerPair> StartAsync(
        LabNode near, LabNode far, string farAddress, string mode, TimeSpan time, string[] options, CancellationToken cancellationToken)
    {
        string program = typeof(PeerPair).Assembly.Location;
        string seconds = time.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        bool isPulling = mode == "pull";
        LabProcess serve = await far.StartAsync(
            "dotnet", [program, "peer-serve", farAddress, .. options, .. isPulling ? ["send", seconds] : Array.Empty<string>()], cancellationToken);
        string ticket = await serve.Output.WaitForAsync(line => line.StartsWith("p2pm1", StringComparison.Ordinal), s_patience, cancellationToken);
        LabProcess run = await near.StartAsync("dotnet", [program, "peer-run", ticket, mode, seconds], cancellationToken);
        await run.Output.WaitForAsync(line => line == "connected", s_patience, cancellationToken);
        return new PeerPair(serve, run, isPulling);
    }

    /// <summary>Waits for the end of a transfer in either direction: when what came.</summary>
    public async Task<ArrivalLog> EndOfBulkAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        if (!_isPulling)
            return (await EndAsync(time, cancellationToken)).Arrivals;
        return ArrivalLog.Parse(await _run.Output.WaitForAsync(line => line.StartsWith('['), time + s_patience, cancellationToken));
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
