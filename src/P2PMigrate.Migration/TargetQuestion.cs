using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration;

/// <summary>What a peer can ask.</summary>
public enum QuestionSubject
{
    /// <summary>Whether its container could come. That takes a look at the machine.</summary>
    Container,

    /// <summary>What became of a job of its. That takes a look at a file.</summary>
    Fate,

    /// <summary>Whether it may use the place that is kept here. The answer opens it, for the rest of the session.</summary>
    Place,
}

/// <summary>A question that a peer has asked, still to be answered. Nothing is changed by it.</summary>
// spec: MIG-170, MIG-190, DEP-50
public sealed class TargetQuestion
{
    private readonly ITunnelStream _stream;
    private readonly Func<CancellationToken, Task<ControlMessage>> _answer;

    internal TargetQuestion(ITunnelStream stream, QuestionSubject subject, Func<CancellationToken, Task<ControlMessage>> answer) =>
        (_stream, Subject, _answer) = (stream, subject, answer);

    /// <summary>What it is about.</summary>
    public QuestionSubject Subject { get; }

    /// <summary>Of a job's fate: of which.</summary>
    public JobId Job { get; init; }

    /// <summary>Answers it. Throws <see cref="TunnelException"/> when the peer goes away.</summary>
    public async Task AnswerAsync(CancellationToken cancellationToken) =>
        await Question.WriteAsync(_stream, await _answer(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
}
