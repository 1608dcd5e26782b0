using P2PMigrate.Protocol;

namespace P2PMigrate.Simulation.Network;

/// <summary>
/// Where datagrams of one or several links wait for their turn: first come, first served, at a rate. What would have to
/// wait too long is dropped at the tail.
/// </summary>
public sealed class Bottleneck
{
    private Instant _freeAt;

    /// <summary>Datagrams dropped because the queue was full.</summary>
    public long Dropped { get; private set; }

    /// <summary>The longest time that a datagram has waited so far.</summary>
    public TimeSpan LongestWait { get; private set; }

    /// <summary>Bytes that passed.</summary>
    public long Passed { get; private set; }

    /// <summary>How long a datagram that came now would wait for its turn.</summary>
    public TimeSpan WaitAt(Instant now) => _freeAt > now ? _freeAt - now : TimeSpan.Zero;

    /// <summary>Takes a datagram in; tells when its last byte is through.</summary>
    public bool TryQueue(Instant now, int length, LinkFaults faults, out Instant through)
    {
        through = now;
        if (faults.Rate > 0)
        {
            through = Instant.Max(now, _freeAt);
            TimeSpan wait = through - now;
            if (wait > faults.Queue)
            {
                Dropped++;
                return false;
            }

            LongestWait = wait > LongestWait ? wait : LongestWait;
            through = new(through.Nanoseconds + (long)(length * 1e9 / faults.Rate));
            _freeAt = through;
        }

        Passed += length;
        return true;
    }

    /// <summary>Starts the measurements anew.</summary>
    public void ResetMeasurements()
    {
        Dropped = Passed = 0;
        LongestWait = TimeSpan.Zero;
    }
}
