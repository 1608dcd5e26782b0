using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Nat;

/// <summary>
/// One question of a survey: a datagram that is sent again and again until its answer comes to the socket, and from the address,
/// where it is expected, or until silence is the answer.
/// </summary>
internal sealed class SurveyQuestion
{
    private int _tries;
    private TimeSpan _delay = NatSurvey.FirstRetryDelay;

    /// <summary>Ties the answer to the question.</summary>
    public required TransactionId Transaction { get; init; }

    /// <summary>What is sent.</summary>
    public required byte[] Datagram { get; init; }

    /// <summary>From which socket of the survey's it is sent.</summary>
    public required int Socket { get; init; }

    /// <summary>To where.</summary>
    public required NetworkAddress To { get; init; }

    /// <summary>To which socket the answer comes.</summary>
    public required int AnswerSocket { get; init; }

    /// <summary>From where; none for anywhere.</summary>
    public required NetworkAddress AnswerFrom { get; init; }

    /// <summary>What the answer is.</summary>
    public required RendezvousMessageType Answer { get; init; }

    /// <summary>Does silence mean something other than loss? Then less patience is enough.</summary>
    public bool IsSilenceTelling { get; init; }

    /// <summary>When it was sent last.</summary>
    public Instant SentAt { get; private set; }

    /// <summary>When it is sent again, or given up.</summary>
    public Instant NextAt { get; private set; }

    /// <summary>Has it been answered, or given up?</summary>
    public bool IsOver => IsAnswered || NextAt == Instant.Never;

    /// <summary>Has it been answered?</summary>
    public bool IsAnswered { get; private set; }

    /// <summary>The address in the answer.</summary>
    public NetworkAddress Observed { get; private set; }

    /// <summary>The cookie in the answer, if it is a challenge.</summary>
    public AddressCookie Cookie { get; private set; }

    /// <summary>Was it sent once only, so that the answer's time is known?</summary>
    public bool WasSentOnce => _tries == 1;

    /// <summary>Is it to be sent now? If it was sent often enough, it is over.</summary>
    public bool TrySend(Instant now, TimeSpan patience)
    {
        if (IsOver || now < NextAt)
            return false;
        if (_tries == (IsSilenceTelling ? NatSurvey.TellingTries : NatSurvey.MaxTries))
        {
            NextAt = Instant.Never;
            return false;
        }

        _tries++;
        SentAt = now;
        bool isLast = _tries == (IsSilenceTelling ? NatSurvey.TellingTries : NatSurvey.MaxTries);
        NextAt = now + (isLast && patience > _delay ? patience : _delay);
        _delay = IsSilenceTelling ? _delay : _delay * 2;
        return true;
    }

    /// <summary>The answer came.</summary>
    public void HandleAnswer(NetworkAddress observed, AddressCookie cookie)
    {
        IsAnswered = true;
        Observed = observed;
        Cookie = cookie;
        NextAt = Instant.Never;
    }
}
