namespace P2PMigrate.Protocol;

/// <summary>
/// Lets so much through per second, and bursts up to a size. A value with its own state: keep it in a field, not in a
/// copy. The unit is whatever the owner counts.
/// </summary>
/// <param name="ratePerSecond">What comes back each second.</param>
/// <param name="burst">What it holds when full; it starts full.</param>
internal struct TokenBucket(double ratePerSecond, double burst)
{
    private readonly double _burst = burst;
    private double _tokens = burst;
    private Instant? _filledAt;

    /// <summary>Is <paramref name="amount"/> there to be taken?</summary>
    public bool Has(Instant now, double amount = 1)
    {
        Fill(now);
        return _tokens >= amount;
    }

    /// <summary>Takes <paramref name="amount"/> if it is there.</summary>
    public bool TryTake(Instant now, double amount = 1)
    {
        if (!Has(now, amount))
        {
            return false;
        }

        _tokens -= amount;
        return true;
    }

    /// <summary>Is it as full as it gets? Then forgetting it changes nothing.</summary>
    public bool IsFull(Instant now)
    {
        Fill(now);
        return _tokens >= _burst;
    }

    private void Fill(Instant now)
    {
        if (_filledAt is { } filledAt && now > filledAt)
        {
            _tokens = Math.Min(_burst, _tokens + (now - filledAt).TotalSeconds * ratePerSecond);
        }

        _filledAt = now;
    }
}
