using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>The relay channels that a client asks for by name, repeated until the server gives a leg or it is too late.</summary>
/// <remarks>spec: RLY-21.</remarks>
internal sealed class ClientJoins(IEntropy entropy, ClientOutbox outbox, ClientLegs legs)
{
    private const int MaxPromptChallenges = 4;

    private readonly Dictionary<TransactionId, Pending> _pending = [];

    /// <summary>When <see cref="HandleTimeout"/> has something to do.</summary>
    public Instant NextTimeout => _pending.Values.Aggregate(Instant.Never, (earliest, join) => Instant.Min(earliest, Instant.Min(join.RetryAt, join.Deadline)));

    /// <summary>Is that one of ours, and still open?</summary>
    public bool IsOpen(TransactionId transaction) => _pending.ContainsKey(transaction);

    /// <summary>Asks for a channel.</summary>
    public TransactionId Open(Instant now, ChannelName name, bool isInitiator, RelayLegId leg, ChallengeMessage? challenge)
    {
        TransactionId transaction = TransactionId.Create(entropy);
        if (_pending.Count < RendezvousClientCore.MaxOffers)
        {
            _pending[transaction] = new Pending(name, isInitiator, leg, now + RendezvousClientCore.JoinTimeout);
            Send(now, transaction, challenge);
        }

        return transaction;
    }

    /// <summary>Sends everything again.</summary>
    public void Repeat(Instant now, ChallengeMessage? challenge)
    {
        foreach ((TransactionId transaction, Pending join) in _pending.OrderBy(pair => pair.Key.Value).ToArray())
        {
            join.RetryDelay = RendezvousClientCore.FirstRetryDelay;
            Send(now, transaction, challenge);
        }
    }

    /// <summary>Sends again what was refused for want of a good cookie.</summary>
    public void HandleChallenge(Instant now, ChallengeMessage challenge)
    {
        if (_pending.TryGetValue(challenge.Transaction, out Pending? join) && join.PromptChallenges++ < MaxPromptChallenges)
        {
            Send(now, challenge.Transaction, challenge);
        }
    }

    /// <summary>The server gave a leg.</summary>
    public Refusal HandleJoined(JoinedMessage joined)
    {
        if (!_pending.Remove(joined.Transaction))
        {
            return Refusal.Unexpected;
        }

        legs.Learn(joined.Leg);
        return outbox.TryRaise(new ChannelJoined(joined.Transaction, joined.Leg)) ? Refusal.None : Refusal.Busy;
    }

    /// <summary>Repeats, and gives up.</summary>
    public void HandleTimeout(Instant now, ChallengeMessage? challenge)
    {
        foreach ((TransactionId transaction, Pending join) in _pending.OrderBy(pair => pair.Key.Value).ToArray())
        {
            join.PromptChallenges = now >= join.RetryAt ? 0 : join.PromptChallenges;
            if (now >= join.Deadline)
            {
                _pending.Remove(transaction);
            }
            else if (now >= join.RetryAt)
            {
                Send(now, transaction, challenge);
            }
        }
    }

    // Without a challenge yet, any cookie does: the server answers a bad one with a good one.
    private void Send(Instant now, TransactionId transaction, ChallengeMessage? challenge)
    {
        Pending join = _pending[transaction];
        outbox.Send(new JoinMessage(transaction, challenge?.Cookie ?? default, join.Leg, join.Name, join.IsInitiator).Write(outbox.Buffer));
        join.RetryAt = now + join.RetryDelay;
        join.RetryDelay = TimeSpan.FromTicks(Math.Min(2 * join.RetryDelay.Ticks, RendezvousClientCore.MaxRetryDelay.Ticks));
    }

    private sealed class Pending(ChannelName name, bool isInitiator, RelayLegId leg, Instant deadline)
    {
        public ChannelName Name { get; } = name;

        public bool IsInitiator { get; } = isInitiator;

        public RelayLegId Leg { get; } = leg;

        public Instant Deadline { get; } = deadline;

        public Instant RetryAt { get; set; } = Instant.Never;

        public TimeSpan RetryDelay { get; set; } = RendezvousClientCore.FirstRetryDelay;

        public int PromptChallenges { get; set; }
    }
}
