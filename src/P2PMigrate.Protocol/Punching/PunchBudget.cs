using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Punching;

/// <summary>
/// What all sessions of an endpoint together may spend on punching, so that no number of peers makes it a nuisance to others.
/// One owner, who gives it to all sessions.
/// </summary>
// spec: PATH-75
public sealed class PunchBudget
{
    /// <summary>Attempts towards one host in a <see cref="Window"/>.</summary>
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

    private readonly Dictionary<NetworkAddress, Queue<Instant>> _attempts = [];
    private TokenBucket _probes = new(ProbesPerSecond, ProbeBurst);

    /// <summary>May an attempt towards this host begin? If so, it counts.</summary>
    internal bool TryBegin(Instant now, NetworkAddress target)
    {
        NetworkAddress host = target.ToNetwork();
        if (!_attempts.TryGetValue(host, out Queue<Instant>? begun))
        {
            if (_attempts.Count >= MaxHosts && !TryMakeRoom(now))
                return false;
            _attempts.Add(host, begun = new Queue<Instant>(AttemptsPerHost));
        }

        while (begun.TryPeek(out Instant oldest) && now - oldest >= Window)
            begun.Dequeue();
        if (begun.Count >= AttemptsPerHost)
            return false;
        begun.Enqueue(now);
        return true;
    }

    /// <summary>May another probe leave?</summary>
    // spec: CONST-244
    internal bool TryTake(Instant now) => _probes.TryTake(now);

    private bool TryMakeRoom(Instant now)
    {
        foreach (NetworkAddress host in _attempts.Where(host => host.Value.All(begun => now - begun >= Window)).Select(host => host.Key).ToArray())
            _attempts.Remove(host);
        return _attempts.Count < MaxHosts;
    }
}
