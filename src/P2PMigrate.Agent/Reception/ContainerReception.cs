using System.Collections.Concurrent;
using System.Diagnostics;
using P2PMigrate.Agent.Output;
using P2PMigrate.Migration;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Agent.Reception;

/// <summary>
/// The target's daily work: accepts sessions, lets each carry out its job, and shows how it ended. Sessions do not wait for each other.
/// </summary>
internal sealed class ContainerReception(
    MigrationEnvironment environment, TunnelEndpoint endpoint, (TicketDesk Tickets, PlaceDesk Places) desks, IOutput output, bool once) : IDisposable
{
    /// <summary>Ends the session of a question that has no answer.</summary>
    // spec: MIG-171
    private const ulong NoAnswer = 0x101;

    private readonly SemaphoreSlim _answering = new(1);
    private readonly TargetRunner _runner = new(environment);
    private readonly SpeedDesk _speedTests = new();
    private readonly AskerDesk _askers = new(environment, endpoint);
    private readonly ConcurrentDictionary<Task, bool> _serving = new();
    private readonly TaskCompletionSource<ExitCode> _firstEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Runs until cancelled, or with <c>--once</c> until the first job that was accepted has ended.</summary>
    public async Task<ExitCode> RunAsync(CancellationToken cancellationToken)
    {
        await _askers.RenewAsync().ConfigureAwait(false);
        await desks.Tickets.OpenAsync(cancellationToken).ConfigureAwait(false);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task accepting = AcceptAsync(stopping.Token);
        await Task.WhenAny(accepting, _firstEnd.Task).ConfigureAwait(false);
        await stopping.CancelAsync().ConfigureAwait(false);
        await accepting.ConfigureAwait(false);
        await Task.WhenAll(_serving.Keys).ConfigureAwait(false);
        return _firstEnd.Task.IsCompleted ? await _firstEnd.Task.ConfigureAwait(false) : ExitCode.Done;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _answering.Dispose();
        _askers.Dispose();
    }

    private async Task AcceptAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                TunnelSession session = await endpoint.AcceptAsync(cancellationToken).ConfigureAwait(false);
                Task serving = ServeAsync(session, cancellationToken);
                _serving.TryAdd(serving, true);
                _ = serving.ContinueWith(done => _serving.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException)
        {
            // The user, or --once, ends it; jobs under way are ended by the same token.
        }
    }

    private async Task ServeAsync(TunnelSession session, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        bool isAdmitted = false;
        Task issuing = Task.CompletedTask;
        var arrived = new TaskCompletionSource<ReceiveOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = new ReceiveOptions
        {
            PeerName = session.Peer.ToString(),
            PeerKey = session.PeerKey,
            AdmitAsync = async admitting =>
            {
                string? refusal = await desks.Tickets.AdmitAsync(session.Ticket, admitting).ConfigureAwait(false);
                if (isAdmitted = refusal is null)
                {
                    await _askers.BeginJobAsync(session.PeerKey).ConfigureAwait(false);
                    issuing = BeginJob();
                }

                return refusal;
            },
            Arrived = outcome => arrived.TrySetResult(outcome),
        };
        await using (session)
        {
            if (await FirstStream.OfAsync(session, environment.Timers.Proposal, cancellationToken).ConfigureAwait(false) is not { } first
                || await _speedTests.TryServeAsync(first, cancellationToken).ConfigureAwait(false))
                return;
            if (first.IsQuestion)
            {
                await AnswerAsync(session, first, cancellationToken).ConfigureAwait(false);
                return;
            }

            if (!await desks.Tickets.IsIssuedAsync(session.Ticket, cancellationToken).ConfigureAwait(false))
            {
                await session.CloseAsync(NoAnswer, "no container is taken in without a ticket", CancellationToken.None).ConfigureAwait(false);
                return;
            }

            Task<ReceiveOutcome> ending = OutcomeOfAsync(first, options, cancellationToken);
            await Task.WhenAny(arrived.Task, ending).ConfigureAwait(false);
            ReceiveOutcome outcome = await (arrived.Task.IsCompleted ? arrived.Task : ending).ConfigureAwait(false);
            if (isAdmitted)
                _speedTests.EndJob();
            Show(session, outcome, Stopwatch.GetElapsedTime(start));
            await issuing.ConfigureAwait(false);
            await ending.ConfigureAwait(false); // the source may not have heard it yet
            if (isAdmitted)
                await _askers.EndJobAsync(session.PeerKey).ConfigureAwait(false);
            if (once && isAdmitted)
                _firstEnd.TrySetResult(CodeOf(outcome.End));
        }
    }

    /// <summary>The source closes the session when it has the answer, and has so long for all of it.</summary>
    // spec: MIG-171
    private async Task AnswerAsync(TunnelSession session, FirstStream first, CancellationToken cancellationToken)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(environment.Timers.Proposal);
        bool isAnswered = false;
        try
        {
            await using ITunnelStream stream = await first.AcceptStreamAsync(time.Token).ConfigureAwait(false);
            try
            {
                TargetQuestion question = await _runner.ReadQuestionAsync(stream, session.Peer.ToString(), time.Token).ConfigureAwait(false);
                await (question.Subject switch
                {
                    QuestionSubject.Container => AnswerInTurnAsync(session, question, time.Token),
                    QuestionSubject.Place => desks.Places.ServeAsync(session, question, cancellationToken),
                    _ => question.AnswerAsync(time.Token),
                }).ConfigureAwait(false);
                isAnswered = true;
                if (question.Subject == QuestionSubject.Fate)
                    await _runner.TakeLateAsync(session, question.Job, session.Peer.ToString(), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception end)
            {
                // Before the stream is reset, which says less.
                await session.CloseAsync(NoAnswer, end is MigrationException ? end.Message : "the question could not be answered", CancellationToken.None).ConfigureAwait(false);
            }

            if (isAnswered) // what it gave meanwhile took as long as it took
                await session.Completion.WaitAsync(time.Token).ConfigureAwait(false);
        }
        catch (Exception end) when (end is TunnelException or OperationCanceledException)
        {
            // It went away, asked nothing, or does not close: the session ends with this.
        }
    }

    /// <summary>A look at the machine, one at a time.</summary>
    private async Task AnswerInTurnAsync(TunnelSession session, TargetQuestion question, CancellationToken cancellationToken)
    {
        await _answering.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await question.AnswerAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _answering.Release();
        }

        output.Show(new QuestionAnswered(session.Peer.ToShortString()));
    }

    /// <summary>The ticket is spent; the next one is issued at once, so that the next container need not wait for the end of this job.</summary>
    private Task BeginJob()
    {
        _speedTests.BeginJob();
        return once ? Task.CompletedTask : IssueNextAsync();
    }

    /// <summary>A receiver without a ticket is of no use: it ends, and says why.</summary>
    private async Task IssueNextAsync()
    {
        try
        {
            await desks.Tickets.IssueAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (UsageException exception)
        {
            _firstEnd.TrySetException(exception);
        }
    }

    /// <summary>A fault of one job is that job's end, not the program's.</summary>
    private async Task<ReceiveOutcome> OutcomeOfAsync(ITunnelSession session, ReceiveOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await _runner.ReceiveAsync(session, options, new ProgressView(output, isTarget: true), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            return new ReceiveOutcome(ReceiveEnd.Aborted, Reason: $"Unexpected: {exception}");
        }
    }

    private static ExitCode CodeOf(ReceiveEnd end) => end switch
    {
        ReceiveEnd.Completed => ExitCode.Done,
        ReceiveEnd.InDoubt => ExitCode.InDoubt,
        _ => ExitCode.RunsAtSource,
    };

    private static string? RemedyOf(ReceiveOutcome outcome) => outcome.End != ReceiveEnd.InDoubt ? null :
        $"{outcome.Container} has not run here, and is frozen at the source until it is removed here. Type here: p2pmigrate resume {outcome.JobId}\n" +
        "and then the same at the source, unless it has asked here by then.";

    private void Show(TunnelSession session, ReceiveOutcome outcome, TimeSpan elapsed)
    {
        string peer = session.Peer.ToShortString();
        switch (outcome.End)
        {
            case ReceiveEnd.Completed:
                string path = session.PrimaryPath is { } primary ? MigrationView.Word(primary.Kind) : "closed";
                output.Show(new ContainerReceived(outcome.Container!, peer, path, Math.Round(elapsed.TotalMilliseconds, 1)) { Warning = outcome.Reason });
                break;
            case ReceiveEnd.NothingProposed:
                break;
            default:
                output.Show(new ReceptionFailed(peer, outcome.Reason ?? outcome.End.ToString()) { Remedy = RemedyOf(outcome) });
                break;
        }
    }
}
