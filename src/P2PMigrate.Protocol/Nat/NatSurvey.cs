using P2PMigrate.Protocol.Gateway;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Nat;

/// <summary>What a survey is made of.</summary>
public sealed record NatSurveyOptions
{
    /// <summary>The main socket of the rendezvous server.</summary>
    public required NetworkAddress Server { get; init; }

    /// <summary>Its others, as far as they are credible.</summary>
    public required ServerAlternates Alternates { get; init; }

    /// <summary>
    /// The ports of the sockets that the survey sends from: first the one that peers will talk to, then fresh ones that have never sent anything;
    /// <see cref="NatSurvey.FreshSockets"/> of them are enough, without any less is learned.
    /// </summary>
    public required IReadOnlyList<ushort> LocalPorts { get; init; }
}

/// <summary>A datagram of a survey on its way out.</summary>
/// <param name="Socket">From which of its sockets it goes; 0 is the main one.</param>
/// <param name="Destination">To where.</param>
/// <param name="Length">How long it is.</param>
public readonly record struct SurveyTransmit(int Socket, NetworkAddress Destination, int Length);

/// <summary>
/// Finds out once what the NATs between this peer and a rendezvous server do. Pure: datagrams and time go in; datagrams, and reports that get better, come out. Mapping and
/// allocation are known after about one round trip, filtering and hairpin after another and what silence takes. After every
/// input drain <see cref="TryPollTransmit"/> and <see cref="TryTakeReport"/>. One owner.
/// </summary>
/// <remarks>
/// All at once the main socket says hello to each of the server's sockets, and every fresh one to the main socket of the server.
/// What the first saw tells the mapping; each fresh socket, and a NAT that maps per destination, adds a sample of how ports are chosen.
/// The first fresh socket then asks the server to answer from where it has never sent anything to, which tells the filtering;
/// the second knocks at the main socket's outside address.
/// spec: PATH-62 to PATH-65, RDV-20 to RDV-24.
/// </remarks>
public sealed class NatSurvey
{
    /// <summary>Sockets beside the main one that a survey makes use of.</summary>
    // spec: CONST-221
    public const int FreshSockets = 4;

    /// <summary>Bytes that every datagram fits into.</summary>
    public const int MaxDatagramSize = RendezvousHeader.RequestSize;

    /// <summary>Pause before the first repetition; it doubles from there where silence means loss.</summary>
    // spec: CONST-221
    public static readonly TimeSpan FirstRetryDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>How long the last repetition waits at least, and two round trips.</summary>
    // spec: CONST-221
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    internal const int MaxTries = 4;
    internal const int TellingTries = 3;

    private readonly NatSurveyOptions _options;
    private readonly IEntropy _entropy;
    private readonly Queue<SurveyQuestion> _outgoing = [];
    private readonly List<SurveyQuestion> _questions = [];
    private readonly List<SurveyQuestion> _fresh = [];
    private readonly SurveyQuestion _main;
    private readonly SurveyQuestion? _otherPort;
    private readonly SurveyQuestion? _otherAddress;
    private SurveyQuestion? _echoPort;
    private SurveyQuestion? _echoAddress;
    private SurveyQuestion? _knock;
    private bool _isFilteringAsked;
    private TimeSpan? _roundTrip;
    private NatReport _report = new();
    private bool _isNews;

    /// <summary>Asks at once.</summary>
    public NatSurvey(Instant now, NatSurveyOptions options, IEntropy entropy)
    {
        _options = options;
        _entropy = entropy;
        _main = Hello(0, options.Server, RendezvousMessageType.Challenge);
        if (options.Alternates.OtherPort != 0)
            _otherPort = Hello(0, options.Server.WithPort(options.Alternates.OtherPort), RendezvousMessageType.Echoed);
        if (!options.Alternates.OtherAddress.IsNone)
            _otherAddress = Hello(0, options.Alternates.OtherAddress, RendezvousMessageType.Echoed);
        for (int socket = 1; socket < options.LocalPorts.Count; socket++)
            _fresh.Add(Hello(socket, options.Server, RendezvousMessageType.Challenge));
        HandleTimeout(now);
    }

    /// <summary>What is known now.</summary>
    public NatReport Report => _report;

    /// <summary>Is nothing left to ask?</summary>
    public bool IsOver => _report.IsComplete;

    /// <summary>When <see cref="HandleTimeout"/> is due.</summary>
    public Instant NextTimeout
    {
        get
        {
            Instant next = Instant.Never;
            foreach (SurveyQuestion question in _questions)
                next = Instant.Min(next, question.NextAt);
            return next;
        }
    }

    /// <summary>Repeats what was not answered, and takes long silence for an answer.</summary>
    public void HandleTimeout(Instant now)
    {
        TimeSpan patience = TimeSpan.FromTicks(Math.Max(Patience.Ticks, 2 * (_roundTrip ?? default).Ticks));
        foreach (SurveyQuestion question in _questions)
        {
            if (question.TrySend(now, patience))
                _outgoing.Enqueue(question);
        }

        GoOn(now);
    }

    /// <summary>A rendezvous message came from <paramref name="from"/> to a socket. False when it answers none of the survey's questions.</summary>
    public bool TryHandle(Instant now, int socket, NetworkAddress from, ReadOnlySpan<byte> datagram)
    {
        if (!TryRead(datagram, out RendezvousMessageType type, out TransactionId transaction, out NetworkAddress observed, out AddressCookie cookie))
            return false;
        SurveyQuestion? question = _questions.Find(question => question.Transaction == transaction);
        if (question is null || question.Answer != type || question.AnswerSocket != socket || (!question.AnswerFrom.IsNone && question.AnswerFrom != from))
            return false;
        if (question.IsOver)
            return true;
        question.HandleAnswer(observed, cookie);
        if (question.WasSentOnce && type == RendezvousMessageType.Challenge && (_roundTrip is null || now - question.SentAt < _roundTrip))
            _roundTrip = now - question.SentAt;
        GoOn(now);
        return true;
    }

    /// <summary>The next datagram to send.</summary>
    public bool TryPollTransmit(Span<byte> buffer, out SurveyTransmit transmit)
    {
        bool isThere = _outgoing.TryDequeue(out SurveyQuestion? question);
        transmit = isThere ? new(question!.Socket, question.To, question.Datagram.Length) : default;
        question?.Datagram.CopyTo(buffer);
        return isThere;
    }

    /// <summary>Gives the report if there is something new in it.</summary>
    public bool TryTakeReport(out NatReport report)
    {
        report = _report;
        (bool isNews, _isNews) = (_isNews, false);
        return isNews;
    }

    private static bool TryRead(
        ReadOnlySpan<byte> datagram, out RendezvousMessageType type, out TransactionId transaction, out NetworkAddress observed, out AddressCookie cookie)
    {
        (transaction, observed, cookie) = (default, default, default);
        if (!RendezvousHeader.TryReadType(datagram, out type, out _))
            return false;
        switch (type)
        {
            case RendezvousMessageType.Challenge when ChallengeMessage.TryParse(datagram, out ChallengeMessage challenge, out _):
                (transaction, observed, cookie) = (challenge.Transaction, challenge.Observed, challenge.Cookie);
                return observed.IsUsable;
            case RendezvousMessageType.Echoed when EchoedMessage.TryParse(datagram, out EchoedMessage echoed, out _):
                (transaction, observed) = (echoed.Transaction, echoed.Observed);
                return observed.IsUsable;
            case RendezvousMessageType.Knock when KnockMessage.TryParse(datagram, out KnockMessage knock, out _):
                transaction = knock.Transaction;
                return true;
            default:
                return false;
        }
    }

    private void GoOn(Instant now)
    {
        if (!_isFilteringAsked && AreOver(_otherPort, _otherAddress) && _fresh.Count > 0 && _fresh[0].IsAnswered)
            AskForFiltering(now);
        if (_knock is null && _main.IsAnswered && _fresh.Count > 1 && _fresh[1].IsOver && IsBelievable(_main.To, _main.Observed))
            _knock = Knock(now, socket: 2, _main.Observed);
        NatReport report = Judge();
        _isNews |= report != _report;
        _report = report;
    }

    // A socket of the server's from which nothing ever came tells nothing by its silence.
    // spec: PATH-64
    private void AskForFiltering(Instant now)
    {
        _isFilteringAsked = true;
        if (_otherPort is { IsAnswered: true })
            _echoPort = Echo(now, ServerSocket.OtherPort, _otherPort.To);
        if (_otherAddress is { IsAnswered: true })
            _echoAddress = Echo(now, ServerSocket.OtherAddress, _otherAddress.To);
    }

    private NatReport Judge()
    {
        bool isMappingKnown = AreOver(_main, _otherPort, _otherAddress);
        bool areSamplesIn = isMappingKnown && _fresh.TrueForAll(question => question.IsOver);
        NatMapping mapping = isMappingKnown ? MappingVerdict.Of(_main.Observed, ObservedOf(_otherPort), ObservedOf(_otherAddress)) : NatMapping.Unknown;
        List<SurveyQuestion> sampled = areSamplesIn ? Sampled() : [];
        AllocationVerdict ports = AllocationVerdict.Of([.. sampled.Select(question => new PortSample(_options.LocalPorts[question.Socket], question.Observed.Port))], _main.Observed.Port);
        bool isFilteringKnown = _isFilteringAsked && AreOver(_echoPort, _echoAddress);
        return new NatReport
        {
            Profile = new NatProfile
            {
                Mapping = mapping,
                Filtering = isFilteringKnown ? FilteringVerdict.Of(_echoPort?.IsAnswered, _echoAddress?.IsAnswered) : NatFiltering.Unknown,
                Allocation = ports.Allocation,
                Step = ports.Step,
                LowestPort = ports.LowestPort,
                HighestPort = ports.HighestPort,
                Newest = sampled.Count > 0 ? sampled[^1].Observed : _main.Observed,
            },
            Observed = _main.Observed,
            HasOtherPort = _otherPort is { IsAnswered: true },
            HasOtherAddress = _otherAddress is { IsAnswered: true },
            Hairpins = _knock is { IsOver: true } ? _knock.IsAnswered : null,
            RoundTrip = _roundTrip,
            IsComplete = areSamplesIn && (isFilteringKnown || !CanAskForFiltering) && (_knock is null or { IsOver: true }),
        };
    }

    private bool CanAskForFiltering => _fresh.Count > 0 && _fresh[0].IsAnswered;

    // The main socket's mapping may be old; a further destination is a sample only if it got a mapping of its own.
    private List<SurveyQuestion> Sampled()
    {
        var sampled = new List<SurveyQuestion>();
        foreach (SurveyQuestion? question in (ReadOnlySpan<SurveyQuestion?>)[_otherPort, _otherAddress, .. _fresh])
        {
            bool isNew = question is { IsAnswered: true } && question.Observed != _main.Observed && !sampled.Exists(other => other.Observed == question.Observed);
            if (isNew)
                sampled.Add(question!);
        }

        return sampled;
    }

    private static bool AreOver(params ReadOnlySpan<SurveyQuestion?> questions)
    {
        foreach (SurveyQuestion? question in questions)
        {
            if (question is { IsOver: false })
                return false;
        }

        return true;
    }

    private static NetworkAddress ObservedOf(SurveyQuestion? question) => question?.Observed ?? default;

    private SurveyQuestion Hello(int socket, NetworkAddress to, RendezvousMessageType answer)
    {
        TransactionId transaction = TransactionId.Create(_entropy);
        byte[] datagram = new byte[RendezvousHeader.RequestSize];
        new HelloMessage(transaction).Write(datagram);
        return Add(new SurveyQuestion
        {
            Transaction = transaction, Datagram = datagram, Socket = socket, To = to, AnswerSocket = socket, AnswerFrom = to, Answer = answer,
        });
    }

    // spec: RDV-23
    private SurveyQuestion Echo(Instant now, ServerSocket from, NetworkAddress answerFrom)
    {
        TransactionId transaction = TransactionId.Create(_entropy);
        byte[] datagram = new byte[RendezvousHeader.RequestSize];
        new EchoMessage(transaction, _fresh[0].Cookie, from, Target: default).Write(datagram);
        return Send(now, Add(new SurveyQuestion
        {
            Transaction = transaction, Datagram = datagram, Socket = 1, To = _options.Server, AnswerSocket = 1, AnswerFrom = answerFrom,
            Answer = RendezvousMessageType.Echoed, IsSilenceTelling = true,
        }));
    }

    // A server on the public internet that sees us at a private address would have us knock at our neighbours.
    // spec: RDV-21
    private static bool IsBelievable(NetworkAddress server, NetworkAddress observed) =>
        ExternalReaches.Of(server) != ExternalReach.Public || ExternalReaches.Of(observed) == ExternalReach.Public;

    // spec: RDV-24
    private SurveyQuestion Knock(Instant now, int socket, NetworkAddress outside)
    {
        TransactionId transaction = TransactionId.Create(_entropy);
        byte[] datagram = new byte[RendezvousHeader.Size];
        new KnockMessage(transaction).Write(datagram);
        return Send(now, Add(new SurveyQuestion
        {
            Transaction = transaction, Datagram = datagram, Socket = socket, To = outside, AnswerSocket = 0, AnswerFrom = default,
            Answer = RendezvousMessageType.Knock, IsSilenceTelling = true,
        }));
    }

    private SurveyQuestion Add(SurveyQuestion question)
    {
        _questions.Add(question);
        return question;
    }

    private SurveyQuestion Send(Instant now, SurveyQuestion question)
    {
        if (question.TrySend(now, Patience))
            _outgoing.Enqueue(question);
        return question;
    }
}
