using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Nat;

/// <summary>How long NATs keep a mapping that nobody uses, as far as it is known.</summary>
/// <param name="AtLeast">After that long without use one was still there; null when none was found alive.</param>
/// <param name="AtMost">After that long one was gone; null when none was found gone.</param>
public readonly record struct MappingLife(TimeSpan? AtLeast, TimeSpan? AtMost);

/// <summary>
/// Finds out how long the NATs before this peer keep a mapping that nobody uses. Pure: the caller has a socket for each of <see cref="IdleTimes"/>, and one
/// more, number <see cref="Asker"/>, all of which have never sent anything. After every input drain <see cref="TryPollTransmit"/>. One owner.
/// </summary>
/// <remarks>
/// Each socket says Hello to the server and is then silent for a time of its own. Then the asker has the server say something to it, which arrives
/// as long as the mapping is there and does not refresh it where it is not. All wait at the same time, so that it takes as long as the longest, or until
/// the first is found gone.
/// </remarks>
// spec: PATH-83
public sealed class LifetimeSurvey
{
    /// <summary>Bytes that every datagram fits into.</summary>
    public const int MaxDatagramSize = RendezvousHeader.RequestSize;

    // spec: CONST-225
    private const int MaxTries = 4;
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(250);

    private readonly NetworkAddress _server;
    private readonly Question[] _questions;
    private readonly Queue<(int Socket, byte[] Datagram)> _outgoing = [];

    /// <summary>Begins at once.</summary>
    public LifetimeSurvey(Instant now, NetworkAddress server, IEntropy entropy)
    {
        _server = server;
        _questions = [.. IdleTimes.Select(idle => new Question(idle, TransactionId.Create(entropy), TransactionId.Create(entropy)))];
        HandleTimeout(now);
    }

    /// <summary>The silences that are tried, the shortest first. A server's cookie is good for two minutes at least, and no longer.</summary>
    // spec: CONST-225
    public static IReadOnlyList<TimeSpan> IdleTimes { get; } = [.. new[] { 9, 18, 28, 43, 58, 88, 115 }.Select(seconds => TimeSpan.FromSeconds(seconds))];

    /// <summary>The number of the socket that asks.</summary>
    public static int Asker => IdleTimes.Count;

    /// <summary>What is known so far.</summary>
    public MappingLife Life => new(
        _questions.Where(question => question.State == QuestionState.Alive).Select(question => (TimeSpan?)question.Idle).Max(),
        _questions.Where(question => question.State == QuestionState.Gone).Select(question => (TimeSpan?)question.Idle).Min());

    /// <summary>Is there nothing left to learn?</summary>
    public bool IsOver => Life.AtMost is not null || Array.TrueForAll(_questions, question => question.IsOver);

    /// <summary>When <see cref="HandleTimeout"/> has something to do.</summary>
    public Instant NextTimeout => IsOver ? Instant.Never : _questions.Aggregate(Instant.Never, (next, question) => Instant.Min(next, question.NextAt));

    /// <summary>Does what is due.</summary>
    public void HandleTimeout(Instant now)
    {
        for (int i = 0; i < _questions.Length && !IsOver; i++)
        {
            if (now >= _questions[i].NextAt)
                Advance(now, i, _questions[i]);
        }
    }

    /// <summary>A datagram came to one of the sockets. False when it is none of this survey's.</summary>
    public bool TryHandle(Instant now, int socket, NetworkAddress from, ReadOnlySpan<byte> datagram)
    {
        if (from != _server || socket < 0 || socket >= _questions.Length)
            return false;
        Question question = _questions[socket];
        if (question.State == QuestionState.Introducing && ChallengeMessage.TryParse(datagram, out ChallengeMessage challenge, out _)
            && challenge.Transaction == question.Hello && challenge.Observed.IsUsable)
        {
            (question.State, question.Cookie, question.Outside) = (QuestionState.Waiting, challenge.Cookie, challenge.Observed);
            (question.Tries, question.NextAt) = (0, now + question.Idle);
            return true;
        }

        if (question.State != QuestionState.Waiting || !EchoedMessage.TryParse(datagram, out EchoedMessage echoed, out _) || echoed.Transaction != question.Echo)
            return false;
        question.End(QuestionState.Alive);
        return true;
    }

    /// <summary>The next datagram for the server.</summary>
    public bool TryPollTransmit(Span<byte> buffer, out SurveyTransmit transmit)
    {
        transmit = default;
        if (!_outgoing.TryDequeue(out (int Socket, byte[] Datagram) next))
            return false;
        next.Datagram.CopyTo(buffer);
        transmit = new(next.Socket, _server, next.Datagram.Length);
        return true;
    }

    // Where the server does not answer a Hello nothing is learned; where its word does not arrive after the silence, the mapping is gone.
    private void Advance(Instant now, int index, Question question)
    {
        bool isIntroducing = question.State == QuestionState.Introducing;
        if (question.Tries == MaxTries)
        {
            question.End(isIntroducing ? QuestionState.Unknown : QuestionState.Gone);
            return;
        }

        question.Tries++;
        question.NextAt = now + s_retryDelay;
        byte[] datagram = new byte[MaxDatagramSize];
        if (isIntroducing)
            new HelloMessage(question.Hello).Write(datagram);
        else
            new EchoMessage(question.Echo, question.Cookie, ServerSocket.Main, question.Outside).Write(datagram);
        _outgoing.Enqueue((isIntroducing ? index : Asker, datagram));
    }

    private enum QuestionState
    {
        Introducing,
        Waiting,
        Alive,
        Gone,
        Unknown,
    }

    private sealed class Question(TimeSpan idle, TransactionId hello, TransactionId echo)
    {
        public TimeSpan Idle => idle;

        public TransactionId Hello => hello;

        public TransactionId Echo => echo;

        public QuestionState State { get; set; }

        public AddressCookie Cookie { get; set; }

        public NetworkAddress Outside { get; set; }

        public int Tries { get; set; }

        public Instant NextAt { get; set; }

        public bool IsOver => State is QuestionState.Alive or QuestionState.Gone or QuestionState.Unknown;

        public void End(QuestionState state) => (State, NextAt) = (state, Instant.Never);
    }
}
