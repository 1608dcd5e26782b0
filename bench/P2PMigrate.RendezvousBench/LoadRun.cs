using System.Diagnostics;
using System.Net;

namespace P2PMigrate.RendezvousBench;

/// <summary>Carries out a plan against a server: peers come, stay, and are asked for.</summary>
public static class LoadRun
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>Runs it. <paramref name="read"/> tells what the server used, after a collection if asked for one.</summary>
    public static async Task<LoadFigures> RunAsync(LoadPlan plan, IPEndPoint server, Func<bool, Task<ServerReading>> read, Action<string> tell)
    {
        using var crowd = new Crowd(server, plan);
        ServerReading empty = await read(true);
        tell($"{plan.Peers} peers come, {plan.PeersPerSecond} each second");
        TimeSpan ramp = Come(crowd, plan);
        ServerReading full = await read(true);

        tell($"{full.Registrations} are registered; they stay for {plan.Hold.TotalSeconds:0} s");
        ServerReading before = await read(false);
        (long sent, long received) = (crowd.Sent, crowd.Received);
        crowd.RunUntil(time => time >= plan.Hold);
        ServerReading after = await read(false);
        (sent, received) = (crowd.Sent - sent, crowd.Received - received);
        ServerReading held = await read(true);

        for (int count = 0; count < plan.Initiators; count++)
            crowd.AddInitiator();
        crowd.RunUntil(time => time >= TimeSpan.FromSeconds(2));
        var offers = new List<OfferFigures>();
        foreach (int rate in plan.OfferRates)
        {
            tell($"{rate} offers each second for {plan.OfferTime.TotalSeconds:0} s");
            offers.Add(await OfferAsync(crowd, plan, rate, read));
        }

        ServerReading end = await read(true);
        return new LoadFigures
        {
            Peers = plan.Peers,
            Registered = full.Registrations,
            RegisteredAfterHold = held.Registrations,
            RegisteredAtEnd = end.Registrations,
            Unreachable = crowd.Unreachable,
            RampSeconds = ramp.TotalSeconds,
            RegistrationCpuMicroseconds = (full.CpuSeconds - empty.CpuSeconds) * 1e6 / plan.Peers,
            HoldSeconds = plan.Hold.TotalSeconds,
            ManagedBytesPerPeer = (held.ManagedBytes - empty.ManagedBytes) / (double)plan.Peers,
            ResidentBytesPerPeer = (held.ResidentBytes - empty.ResidentBytes) / (double)plan.Peers,
            EmptyResidentBytes = empty.ResidentBytes,
            HoldCpuPercentOfCore = (after.CpuSeconds - before.CpuSeconds) * 100 / plan.Hold.TotalSeconds,
            HoldCpuMicrosecondsPerPeerAndSecond = (after.CpuSeconds - before.CpuSeconds) * 1e6 / plan.Hold.TotalSeconds / plan.Peers,
            RequestsPerSecond = sent / plan.Hold.TotalSeconds,
            AnswersPerSecond = received / plan.Hold.TotalSeconds,
            Offers = offers,
        };
    }

    private static TimeSpan Come(Crowd crowd, LoadPlan plan)
    {
        long start = Stopwatch.GetTimestamp();
        crowd.RunUntil(time =>
        {
            for (int due = (int)Math.Min(plan.Peers, 1 + time.TotalSeconds * plan.PeersPerSecond) - crowd.Responders.Count, most = 50; due > 0 && most > 0; due--, most--)
                crowd.AddResponder();
            return crowd.Responders.Count == plan.Peers && (crowd.Responders.TrueForAll(peer => peer.Core.IsRegistered) || time > s_patience + plan.Peers / (double)plan.PeersPerSecond * TimeSpan.FromSeconds(1));
        });
        return Stopwatch.GetElapsedTime(start);
    }

    private static async Task<OfferFigures> OfferAsync(Crowd crowd, LoadPlan plan, int rate, Func<bool, Task<ServerReading>> read)
    {
        var run = new OfferRun();
        crowd.Offers = run;
        ServerReading before = await read(false);
        int wanted = (int)(rate * plan.OfferTime.TotalSeconds);
        crowd.RunUntil(time =>
        {
            for (int due = (int)Math.Min(wanted, time.TotalSeconds * rate) - run.Count, most = 50; due > 0 && most > 0; due--, most--)
                crowd.MakeOffer(run);
            return run.Count == wanted && time >= plan.OfferTime && (time > plan.OfferTime + TimeSpan.FromSeconds(12) || run.Ended == wanted);
        });
        ServerReading after = await read(false);
        crowd.Offers = null;
        return run.Sum(rate, after.CpuSeconds - before.CpuSeconds);
    }
}
