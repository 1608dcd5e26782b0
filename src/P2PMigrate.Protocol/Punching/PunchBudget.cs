using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Punching;

/// <summary>
/// What all sessions of an endpoint together may spend on punching, so that no number of peers makes it a nuisance to others.
/// One owner, who gives it to all sessions.
/// </summary>
// spec: PATH-75
public sealed class PunchBudget
{
    /// <summary>Whole attempts towards one host in a <see cref="Window"/>, or more that end early.</summary>
    // spec: CONST-242
    public const int AttemptsPerHost = 3;

    /// <summary>Hosts that are remembered; while all of them are fresh, no other one is tried.</summary>
    // spec: CONST-242
    public const int MaxHosts = 256;

    private const double ProbesPerSecond = 2000;
    private const double ProbeBurst = 256;

    /// <summary>How long an attempt counts.</summary>
    // spec: CONST-242
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    // While attempts towards as many hosts as are remembered count, another one is tried so much later.
    private static readonly TimeSpan s_fullPause = TimeSpan.FromMinutes(1);

    private readonly Dictionary<NetworkAddress, List<Spent>> _attempts = [];
    private TokenBucket _probes = new(ProbesPerSecond, ProbeBurst);

    /// <summary>May an attempt towards this host begin? If so, it counts; else it may at <paramref name="later"/>, as far as is known.</summary>
    internal bool TryBegin(Instant now, NetworkAddress target, out Instant later)
    {
        later = now + s_fullPause;
        NetworkAddress host = target.ToNetwork();
        if (!_attempts.TryGetValue(host, out List<Spent>? spent))
        {
            if (_attempts.Count >= MaxHosts && !TryMakeRoom(now))
                return false;
            _attempts.Add(host, spent = []);
        }

        spent.RemoveAll(entry => now - entry.At >= Window);
        if (spent.Sum(entry => entry.Probes) > (AttemptsPerHost - 1) * PunchAttempt.MaxProbes)
        {
            later = spent[0].At + Window;
            return false;
        }

        spent.Add(new(now, PunchAttempt.MaxProbes));
        return true;
    }

    /// <summary>The latest attempt towards this host ended after so many probes: only they count.</summary>
    internal void HandleEnded(NetworkAddress target, int probes)
    {
        if (_attempts.TryGetValue(target.ToNetwork(), out List<Spent>? spent) && spent.Count > 0)
            spent[^1] = spent[^1] with { Probes = probes };
    }

    /// <summary>May another probe leave?</summary>
    // spec: CONST-244
    internal bool TryTake(Instant now) => _probes.TryTake(now);

    private bool TryMakeRoom(Instant now)
    {
        foreach (NetworkAddress host in _attempts.Where(host => host.Value.All(entry => now - entry.At >= Window)).Select(host => host.Key).ToArray())
            _attempts.Remove(host);
        return _attempts.Count < MaxHosts;
    }

    private readonly record struct Spent(Instant At, int Probes);
}
