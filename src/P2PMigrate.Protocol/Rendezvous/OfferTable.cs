using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Rendezvous;

/// <summary>An offer on its way: who asks, and whom.</summary>
internal sealed record OpenOffer(OfferId Id, NetworkAddress Initiator, TransactionId Transaction, PeerId Target, Instant ExpiresAt, int MaxAnswers)
{
    /// <summary>Where the responder is; an answer from elsewhere is not its. None while another server has to know.</summary>
    public NetworkAddress Responder { get; set; }

    /// <summary>The channel opened for the two, if there is one.</summary>
    public RelayChannel? Channel { get; set; }

    /// <summary>The server that passed it on to this one, if one did.</summary>
    public OfferOrigin? Origin { get; init; }

    /// <summary>Answers that may still go to the initiator.</summary>
    // spec: RDV-13, RDV-44
    public int AnswersLeft { get; private set; } = MaxAnswers;

    /// <summary>Was it passed on to another server? spec: RDV-44.</summary>
    public bool IsPassedOn => Responder.IsNone;

    /// <summary>The initiator repeats it, so it waits for one more answer.</summary>
    public void Repeated() => AnswersLeft = Math.Min(AnswersLeft + 1, MaxAnswers);

    /// <summary>May an answer go to the initiator? If so, it counts.</summary>
    public bool TryTakeAnswer()
    {
        bool isAllowed = AnswersLeft > 0;
        AnswersLeft -= isAllowed ? 1 : 0;
        return isAllowed;
    }
}

/// <summary>
/// The offers of the last seconds, by the server's id and by the initiator's. Repeating an offer finds the first one
/// again, so it opens nothing twice.
/// </summary>
/// <remarks>spec: RDV-11.</remarks>
internal sealed class OfferTable(int capacity, int capacityOfFleet)
{
    private readonly Dictionary<OfferId, OpenOffer> _byId = [];
    private readonly Dictionary<(NetworkAddress Initiator, TransactionId Transaction), OpenOffer> _byTransaction = [];
    private int _ofFleet;

    /// <summary>Offers in the table.</summary>
    public int Count => _byId.Count;

    /// <summary>Is there room for another?</summary>
    public bool IsFull => _byId.Count >= capacity;

    /// <summary>Is there no room for another one of another server? Those have a part of the table only.</summary>
    // spec: RDV-43
    public bool IsFullForFleet => IsFull || _ofFleet >= capacityOfFleet;

    /// <summary>Remembers an offer; the caller has checked that there is room.</summary>
    public void Add(OpenOffer offer)
    {
        _ofFleet += offer.Origin is null ? 0 : 1;
        _byId[offer.Id] = offer;
        _byTransaction[(offer.Initiator, offer.Transaction)] = offer;
    }

    /// <summary>The offer that a responder answers.</summary>
    public OpenOffer? Find(OfferId id) => _byId.GetValueOrDefault(id);

    /// <summary>The offer that an initiator repeats: the same question to the same peer.</summary>
    public OpenOffer? Find(NetworkAddress initiator, TransactionId transaction, PeerId target) =>
        _byTransaction.TryGetValue((initiator, transaction), out OpenOffer? offer) && offer.Target == target ? offer : null;

    /// <summary>Forgets all that have expired.</summary>
    public void Sweep(Instant now)
    {
        foreach (OpenOffer expired in _byId.Values.Where(offer => offer.ExpiresAt <= now).ToArray())
        {
            _ofFleet -= expired.Origin is null ? 0 : 1;
            _byId.Remove(expired.Id);
            _byTransaction.Remove((expired.Initiator, expired.Transaction));
        }
    }
}
