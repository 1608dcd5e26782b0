using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration;

/// <summary>A question that a peer has asked, still to be answered. Nothing is changed by it.</summary>
// spec: MIG-170, MIG-190
public sealed class TargetQuestion
{
    private readonly ITunnelStream _stream;
    private readonly Func<CancellationToken, Task<ControlMessage>> _answer;

    internal TargetQuestion(ITunnelStream stream, bool isAboutNewContainer, Func<CancellationToken, Task<ControlMessage>> answer) =>
        (_stream, IsAboutNewContainer, _answer) = (stream, isAboutNewContainer, answer);

    /// <summary>Is it whether a container could come? That takes a look at the machine. The other question, what became of a job, takes a look at a file.</summary>
    public bool IsAboutNewContainer { get; }

    /// <summary>Answers it. Throws <see cref="TunnelException"/> when the peer goes away.</summary>
    public async Task AnswerAsync(CancellationToken cancellationToken) =>
        await Question.WriteAsync(_stream, await _answer(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
}
