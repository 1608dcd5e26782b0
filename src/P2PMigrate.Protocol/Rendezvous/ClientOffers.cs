using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>The offers that a client has on its way, repeated until they are answered, refused or too old.</summary>
/// <remarks>spec: RDV-10, RDV-11.</remarks>
internal sealed class ClientOffers(IEntropy entropy, ClientOutbox outbox, ClientLegs legs)
{
    private const int MaxPromptChallenges = 4;
    private const int MaxPromptRepetitions = 4;

    private readonly Dictionary<TransactionId, Pending> _pending = [];

    /// <summary>When <see cref="HandleTimeout"/> has something to do.</summary>
    public Instant NextTimeout => _pending.Values.Aggregate(Instant.Never, (earliest, offer) => Instant.Min(earliest, Instant.Min(offer.RetryAt, offer.Deadline)));

    /// <summary>Is that one of ours, and still open?</summary>
    public bool IsOpen(TransactionId transaction) => _pending.ContainsKey(transaction);

    /// <summary>Opens an offer; it is sent as soon as there is a cookie.</summary>
    public TransactionId Open(Instant now, PeerId target, ReadOnlySpan<byte> init, ChallengeMessage? challenge)
    {
        if (_pending.Count == RendezvousClientCore.MaxOffers)
        {
            throw new InvalidOperationException($"A client has at most {RendezvousClientCore.MaxOffers} offers open.");
        }

        TransactionId transaction = TransactionId.Create(entropy);
        _pending[transaction] = new Pending(target, now + RendezvousClientCore.OfferTimeout) { Init = init.ToArray() };
        Send(now, transaction, challenge);
        return transaction;
    }

    /// <summary>Sends another message 1 for an open offer: the old one with a cookie.</summary>
    public void Replace(Instant now, TransactionId transaction, ReadOnlySpan<byte> init, ChallengeMessage? challenge)
    {
        if (_pending.TryGetValue(transaction, out Pending? offer))
        {
            offer.Init = init.ToArray();
            offer.RetryDelay = RendezvousClientCore.FirstRetryDelay;
            Send(now, transaction, challenge);
        }
    }

    /// <summary>Sends everything again that waits for an answer.</summary>
    public void Repeat(Instant now, ChallengeMessage? challenge)
    {
        foreach ((TransactionId transaction, Pending offer) in _pending.OrderBy(pair => pair.Key.Value).ToArray())
        {
            if (!offer.IsAnswered)
            {
                offer.RetryDelay = RendezvousClientCore.FirstRetryDelay;
                Send(now, transaction, challenge);
            }
        }
    }

    /// <summary>Forgets an offer.</summary>
    public void Close(TransactionId transaction) => _pending.Remove(transaction);

    /// <summary>Sends what waited for a cookie, and again what was refused for want of a good one.</summary>
    public void HandleChallenge(Instant now, ChallengeMessage challenge)
    {
        foreach ((TransactionId transaction, Pending offer) in _pending.OrderBy(pair => pair.Key.Value).ToArray())
        {
            if (!offer.WasSent || (transaction == challenge.Transaction && offer.PromptChallenges++ < MaxPromptChallenges))
            {
                Send(now, transaction, challenge);
            }
        }
    }

    /// <summary>Takes the server's word on an offer.</summary>
    public Refusal HandleStatus(StatusMessage status)
    {
        if (!_pending.TryGetValue(status.Transaction, out Pending? offer))
        {
            return Refusal.Unexpected;
        }

        offer.WasForwarded |= status.Status == OfferStatus.Forwarded;
        if (status.Status == OfferStatus.PeerUnknown)
        {
            _pending.Remove(status.Transaction);
            outbox.TryRaise(new OfferRefused(status.Transaction));
        }

        return Refusal.None;
    }

    /// <summary>Takes a reply of the responder. The offer stays open for more, but is not repeated by itself.</summary>
    public Refusal HandleAnswer(DeliveryMessage answer)
    {
        var transaction = new TransactionId(answer.Id);
        if (!_pending.TryGetValue(transaction, out Pending? offer))
        {
            return Refusal.Unexpected;
        }

        offer.WasForwarded = true;
        offer.IsAnswered = true;
        offer.RetryAt = Instant.Never;
        legs.Learn(answer.Leg);
        return outbox.TryRaise(new AnswerReceived(transaction, answer.Other, answer.Leg, answer.Carried.ToArray())) ? Refusal.None : Refusal.Busy;
    }

    /// <summary>What was taken for an answer is none: the offer waits for another one, and is repeated at once unless that was done often.</summary>
    // spec: RDV-52
    public void RejectAnswer(Instant now, TransactionId transaction, ChallengeMessage? challenge)
    {
        if (!_pending.TryGetValue(transaction, out Pending? offer))
        {
            return;
        }

        offer.IsAnswered = false;
        if (offer.PromptRepetitions++ < MaxPromptRepetitions)
        {
            offer.RetryDelay = RendezvousClientCore.FirstRetryDelay;
            Send(now, transaction, challenge);
        }
        else if (offer.RetryAt == Instant.Never)
        {
            offer.RetryAt = now + offer.RetryDelay;
        }
    }

    /// <summary>Repeats offers, and gives up those that are too old.</summary>
    public void HandleTimeout(Instant now, ChallengeMessage? challenge)
    {
        foreach ((TransactionId transaction, Pending offer) in _pending.OrderBy(pair => pair.Key.Value).ToArray())
        {
            if (now >= offer.Deadline)
            {
                Expire(transaction, offer);
            }
            else if (now >= offer.RetryAt)
            {
                Send(now, transaction, challenge);
            }
        }
    }

    private void Expire(TransactionId transaction, Pending offer)
    {
        _pending.Remove(transaction);
        if (!offer.IsAnswered)
        {
            outbox.TryRaise(new OfferTimedOut(transaction, offer.WasForwarded));
        }
    }

    private void Send(Instant now, TransactionId transaction, ChallengeMessage? challenge)
    {
        if (challenge is null)
        {
            return;
        }

        Pending offer = _pending[transaction];
        outbox.Send(new OfferMessage(transaction, challenge.Value.Cookie, offer.Target, offer.Init).Write(outbox.Buffer));
        offer.WasSent = true;
        offer.RetryAt = now + offer.RetryDelay;
        offer.RetryDelay = TimeSpan.FromTicks(Math.Min(2 * offer.RetryDelay.Ticks, RendezvousClientCore.MaxRetryDelay.Ticks));
    }

    private sealed class Pending(PeerId target, Instant deadline)
    {
        public PeerId Target { get; } = target;

        public Instant Deadline { get; } = deadline;

        public required byte[] Init { get; set; }

        public Instant RetryAt { get; set; } = Instant.Never;

        public TimeSpan RetryDelay { get; set; } = RendezvousClientCore.FirstRetryDelay;

        public int PromptChallenges { get; set; }

        public int PromptRepetitions { get; set; }

        public bool WasSent { get; set; }

        public bool WasForwarded { get; set; }

        public bool IsAnswered { get; set; }
    }
}
