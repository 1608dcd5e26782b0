using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests.Trips;

/// <summary>
/// Something that breaks at any time of a trip, whoever is the source then; false when the trip was over before. CRIU at the source is not killed: while it holds the processes, that
/// may end them, as it would without a migration.
/// </summary>
internal sealed record TripFault(string Name, Func<Trip, Task<bool>> HappenAsync)
{
    private static readonly TimeSpan s_away = TimeSpan.FromSeconds(5);

    public static IReadOnlyList<TripFault> All { get; } =
    [
        new("the source's agent killed", trip => SometimeAsync(trip, () => trip.Migrate.KillAsync())),
        new("the target's agent killed", trip => SometimeAsync(trip, () => trip.To.Receive!.KillAsync())),
        new("CRIU killed at the target", trip => KillAsync(trip, trip.To.Host, "criu")),
        new("runc killed at the target", trip => KillAsync(trip, trip.To.Host, "runc")),
        new("interrupted by its user", trip => SometimeAsync(trip, () => { trip.Migrate.Signal(UnixSignal.Interrupt); return Task.CompletedTask; })),
        new("the link away for 5 s", trip => SometimeAsync(trip, () => CutAsync(trip))),
    ];

    private static async Task<bool> SometimeAsync(Trip trip, Func<Task> happen)
    {
        await Task.Delay(trip.Usual * trip.Random.NextDouble());
        if (trip.Migrate.HasExited)
            return false;
        await happen();
        return true;
    }

    // Whichever of the program's runs comes first, or one that is there a little later.
    private static async Task<bool> KillAsync(Trip trip, VirtualHost host, string program)
    {
        long notBefore = Environment.TickCount64 + (long)(trip.Usual.TotalMilliseconds * trip.Random.NextDouble() / 2);
        for (; !trip.Migrate.HasExited; await Task.Delay(1))
        {
            if (Environment.TickCount64 >= notBefore && host.KillProgramsNamed(program, WitnessContainer.Name))
                return true;
        }

        return false;
    }

    private static async Task CutAsync(Trip trip)
    {
        await trip.Lab.CutAsync(trip.From.Host);
        await Task.Delay(s_away);
        await trip.Lab.HealAsync(trip.From.Host);
    }
}

/// <summary>A migration under way; one in which nothing breaks takes <paramref name="Usual"/>.</summary>
internal sealed record Trip(VirtualLab Lab, TripHost From, TripHost To, LabProcess Migrate, TimeSpan Usual, Random Random);

/// <summary>One of the two machines: it receives all the time, and sends when the container is there.</summary>
internal sealed class TripHost(VirtualHost host) : IAsyncDisposable
{
    private const string TicketFile = "/tmp/trip-ticket";

    public VirtualHost Host => host;

    /// <summary>The program that receives here.</summary>
    public LabProcess? Receive { get; private set; }

    /// <summary>How often it was started.</summary>
    public int Starts { get; private set; }

    /// <summary>Sees to it that it runs, and returns its ticket.</summary>
    public async Task<string> TicketAsync()
    {
        if (Receive is null or { HasExited: true })
        {
            await host.ShellAsync($"rm -f {TicketFile}");
            Receive = await host.StartAsync(
                MigrationPeers.Program, ["receive", "--rendezvous", MigrationPeers.RendezvousAddress, "--ticket-file", TicketFile, "--json"]);
            await Receive.Output.WaitForAsync(line => line.Contains("\"event\":\"ticket\"", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
            Starts++;
        }

        return (await host.ReadTextAsync(TicketFile)).Trim();
    }

    public async ValueTask DisposeAsync()
    {
        if (Receive is not null)
            await Receive.DisposeAsync();
    }
}
