using System.Diagnostics;
using System.Globalization;
using P2PMigrate.Agent.Tests.Faults;
using P2PMigrate.Agent.Tests.Peers;
using P2PMigrate.Agent.Tests.Trips;
using P2PMigrate.Agent.Tests.Witness;
using P2PMigrate.Lab;

namespace P2PMigrate.Agent.Tests;

/// <summary>
/// One container goes back and forth, with a client that adds all the time, and something breaks in every third trip, or in the next when that was over before. Few trips unless <c>P2PMIGRATE_TRIPS</c> says how many;
/// <c>P2PMIGRATE_TRIPS_SEED</c> says which faults. <c>tests/there-and-back</c> makes fifty.
/// </summary>
public sealed class TripsTests(ITestOutputHelper output)
{
    private const int FewTrips = 6;
    private static readonly TimeSpan s_answerLimit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_jobLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan s_sessionLimit = TimeSpan.FromMinutes(2);
    private readonly Random _random = new(Number("SEED", 7));
    private long _least, _most;          // between which the sum is
    private TimeSpan _usual;             // what the last trip took in which nothing broke
    private int _due, _broken;           // faults

    [Fact]
    public async Task A_container_goes_back_and_forth_and_nothing_is_left_of_it()
    {
        int trips = Number("", FewTrips);
        await using MigrationPeers peers = await MigrationPeers.RaiseAsync();
        await WitnessContainer.StartAsync(peers.Source, peers.Target, megabytes: 16, filesMegabytes: 8);
        await using var one = new TripHost(peers.Source);
        await using var two = new TripHost(peers.Target);
        Testimony first = await WitnessContainer.WaitAsync(peers.Source, s_answerLimit);
        for (int warmUp = 0; warmUp < 2; warmUp++)
            await TravelAsync(peers, warmUp == 0 ? one : two, warmUp == 0 ? two : one, null, first.Nonce);
        (Holdings One, Holdings Two) before = (await Holdings.OfAsync(one), await Holdings.OfAsync(two));

        TripHost here = one;
        int moved = 0;
        for (int trip = 1; trip <= trips; trip++)
        {
            _due += trip % 3 == 0 ? 1 : 0;
            TripFault? fault = _broken < _due ? TripFault.All[_random.Next(TripFault.All.Count)] : null;
            TripHost there = here == one ? two : one;
            string end = await TravelAsync(peers, here, there, fault, first.Nonce);
            if (await WitnessContainer.AskAsync(there.Host) is not null)
                (here, moved) = (there, moved + 1);
            output.WriteLine($"{trip}: from {(here == there ? (there == one ? "two" : "one") : (here == one ? "one" : "two"))}, {fault?.Name ?? "nothing breaks"}: {end}, now at {(here == one ? "one" : "two")}");
        }

        if (here == two)
            await TravelAsync(peers, two, one, null, first.Nonce);
        Assert.True(_broken >= _due - 1, $"{_due} times something was to break, and {_broken} times it did before the trip was over.");
        Assert.True(moved >= trips - _broken, $"{moved} of {trips} trips, in {_broken} of which something broke");
        await CompareAsync("one", before.One, one);
        await CompareAsync("two", before.Two, two);
    }

    /// <summary>One migration; afterwards one copy answers, with everything that it had. Returns how it ended.</summary>
    private async Task<string> TravelAsync(MigrationPeers peers, TripHost from, TripHost to, TripFault? fault, string nonce)
    {
        await from.TicketAsync();
        string ticket = await to.TicketAsync();
        await using AddingClient client = await AddingClient.ConnectAsync(from.Host, _least, _most);
        Assert.True(await client.HearAsync(s_answerLimit), "The client hears nothing before the migration.");
        await using CopyWatch copies = CopyWatch.Start(from.Host, to.Host);
        await using LabProcess migrate = await from.Host.StartAsync(MigrationPeers.Program, ["migrate", WitnessContainer.Name, "--to", ticket, "--json"]);
        long start = Stopwatch.GetTimestamp();
        bool isBroken = fault is not null && await fault.HappenAsync(new Trip(peers.Lab, from, to, migrate, _usual, _random));
        MigrateResult first = await MigrationPeers.EndOfAsync(migrate);
        _broken += isBroken ? 1 : 0;
        if (fault is null)
            _usual = Stopwatch.GetElapsedTime(start);
        string story = first.Everything;
        MigrateResult last = first;
        if (first.ExitCode is not (0 or 4 or 5 or 6))
        {
            last = await AgainAsync(from);
            story += $"\nagain: {last.Everything}";
        }

        await to.TicketAsync();
        await WaitForJobAsync(to);
        if (last.ExitCode == 6)
            story += await Person.DecideAsync(from.Host, to.Host, last.Everything);
        int? side = await copies.WhoRunsAsync(s_answerLimit);
        Assert.True(side is not null && copies.Wrong.Count == 0, $"{string.Join("; ", copies.Wrong.Distinct().Take(5))}. {fault?.Name}: {story}");
        Assert.True(client.Wrong is null, client.Wrong);
        if (side == 0)
            Assert.True(await client.HearAsync(s_answerLimit), $"The client's connection is gone, and the container still where it was. {fault?.Name}: {story}");
        await client.StopAsync();
        (_least, _most) = (client.Sum, client.Sent);
        Testimony? after = await WitnessContainer.AskAsync(side == 0 ? from.Host : to.Host, "check");
        Assert.True(after is { Wrong: [] } && after.Nonce == nonce, $"{string.Join(", ", after?.Wrong ?? ["no answer"])}. {fault?.Name}: {story}");
        Assert.True(isBroken || first.ExitCode == 0, story);
        string when = fault is null || isBroken ? "" : "too late, ";
        return when + (first.ExitCode == 137 ? "killed" : $"exit code {first.ExitCode}{(last.ExitCode == 6 ? ", in doubt" : "")}");
    }

    private static async Task<MigrateResult> AgainAsync(TripHost from)
    {
        await using LabProcess again = await from.Host.StartAsync(MigrationPeers.Program, ["migrate", WitnessContainer.Name, "--to", "p2pm1nothing", "--json"]);
        return await MigrationPeers.EndOfAsync(again);
    }

    private static async Task WaitForJobAsync(TripHost host)
    {
        var watch = new JournalWatch(host.Host);
        for (long deadline = Environment.TickCount64 + (long)s_jobLimit.TotalMilliseconds; watch.State is not null && Environment.TickCount64 < deadline;)
            await Task.Delay(20);
    }

    private async Task CompareAsync(string name, Holdings before, TripHost host)
    {
        Holdings after = await Holdings.OfAsync(host);
        for (long deadline = Environment.TickCount64 + (long)s_sessionLimit.TotalMilliseconds; after.Descriptors > before.Descriptors + 8 && Environment.TickCount64 < deadline;)
        {
            await Task.Delay(1000); // the last trip's session lingers with its sockets
            after = await Holdings.OfAsync(host);
        }

        output.WriteLine($"{name} before: {before}\n{name} after:  {after}");
        Assert.True(before.Left == after.Left, $"At {name} {before.Left} became {after.Left}.");
        Assert.True(after.StateBytes < before.StateBytes + (256 << 10), $"At {name} the state directory grew from {before.StateBytes} to {after.StateBytes} bytes.");
        Assert.True(after.OpenTickets <= before.OpenTickets + host.Starts, $"At {name} {after.OpenTickets} tickets are open.");
        Assert.True(after.Descriptors <= before.Descriptors + 8, $"At {name} there were {before.Descriptors} descriptors:\n{before.Opened}\nand are {after.Descriptors}:\n{after.Opened}");
        Assert.True(after.ResidentBytes < before.ResidentBytes + (128 << 20), $"At {name} {before.ResidentBytes} bytes were resident and are {after.ResidentBytes}.");
    }

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name.Length == 0 ? "P2PMIGRATE_TRIPS" : $"P2PMIGRATE_TRIPS_{name}") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
