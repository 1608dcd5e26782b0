using System.Runtime.CompilerServices;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Protocol;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// One job at the source, alive: feeds a <see cref="MigrationSource"/> with what happens and has <see cref="SourceEffects"/> do what it asks
/// for. Used once.
/// </summary>
internal sealed class SourceJob(
    MigrationEnvironment environment, ITunnelSession session, Propose proposal, JobJournal journal, CopyOptions copy, SentChunks sent, IProgress<MigrationProgress>? progress)
{
    private readonly MachineLoop _loop = new(environment.Time);
    private readonly MigrationSource _machine = new(proposal, environment.Timers, new Convergence(copy, environment.Downtimes.Costs));
    private readonly SourceTimeline _timeline = new(environment.Time);
    private readonly ProgressReporter _reporter = new(environment, proposal.JobId, proposal.Name.Value, progress);
    private int _isProgressPosted;
    private Task _work = Task.CompletedTask;

    /// <summary>
    /// Runs the job to its end over <paramref name="control"/>, which the caller owns. Nothing of it goes on afterwards; the session is left open
    /// for its owner to close.
    /// </summary>
    public async Task<MigrationOutcome> RunAsync(ControlChannel control, CancellationToken cancellationToken)
    {
        var meter = new TransferMeter(NoteProgress);
        _reporter.Watch(meter);
        var effects = new SourceEffects(environment, session, proposal, journal, copy, sent, meter) { CannotAnswer = NoteUnanswered };
        await using (effects.ConfigureAwait(false))
        {
            using CancellationTokenRegistration interrupt = cancellationToken.Register(() => _loop.Post(_machine.Cancel));
            await using ConfiguredAsyncDisposable watching = AbortWatch.Start(environment, () => proposal.JobId, () => _loop.Post(_machine.Cancel)).ConfigureAwait(false);
            Listen(control);
            _machine.Start(_loop.Now);
            await _loop.RunAsync(() => _machine.NextTimeout, _machine.HandleTimeout, () => Drain(control, effects)).ConfigureAwait(false);
            await effects.StopAsync().ConfigureAwait(false);
            await _work.ConfigureAwait(false);
            await control.FinishAsync(environment.Timers.Farewell, environment.Time).ConfigureAwait(false);
        }

        if (_machine.Result!.End != SourceState.InDoubt) // then the last phase has not ended well
            _reporter.Enter(null);
        MigrationOutcome outcome = SourceOutcome.Of(_machine.Result!, proposal, _timeline, meter, effects, _machine.LastRound);
        if (outcome is MigrationCompleted completed && !effects.HasLeft)
            Learn(completed);
        return outcome;
    }

    private void NoteUnanswered(Exception exception)
    {
        Log.WorkFailed(environment.Logger, proposal.JobId, nameof(SourceWork.Give), exception);
        var failure = FailureReason.Of(exception, environment.State);
        _loop.Post(now => _machine.HandleFailed(now, SourceWork.Give, failure));
    }

    /// <summary>What the downtime was beside sending and waiting is what the next one may be expected to be, if it is known how fast content travelled and all of memory counted.</summary>
    private void Learn(MigrationCompleted completed)
    {
        if (!_machine.IsContentRateKnown)
            return;
        TimeSpan sending = TimeSpan.FromSeconds(completed.FrozenMemoryBytes / _machine.ContentRate) + (_machine.RoundTrip * Convergence.RoundTrips);
        environment.Downtimes.Learn(completed.Downtime, sending, completed.MemoryBytes, _machine.ExpectedCosts);
    }

    /// <summary>Messages first: what a request needs the peer to know is already on its way. Returns whether the machine has ended.</summary>
    private bool Drain(ControlChannel control, SourceEffects effects)
    {
        PathSummary? path = session.PrimaryPath;
        _machine.RoundTrip = path?.RoundTrip ?? TimeSpan.Zero;
        _timeline.Enter(_machine.State, path);
        if (PhaseOf(_machine.State) is { } phase)
            _reporter.Enter(phase, phase == MigrationPhase.Copying ? _machine.Round : 0);
        while (_machine.TryPollMessage(out ControlMessage? message))
        {
            if (!control.TrySend(message))
                _loop.Post(now => _machine.HandleFault(now, "The target does not read what it is told."));
        }

        (effects.TakesLate, effects.Leaves) = (_machine.TakesLate, _machine.Leaves);
        while (_machine.TryPollRequest(out SourceRequest request))
            _work = CarryOutAsync(effects, request, _work);
        return _machine.Result is not null;
    }

    private async Task CarryOutAsync(SourceEffects effects, SourceRequest request, Task previous)
    {
        Action<Instant> report;
        try
        {
            RoundFigures figures = await Task.Run(() => effects.CarryOutAsync(request, previous)).ConfigureAwait(false);
            bool hasLeft = request.Work == SourceWork.Dump && effects.HasLeft;
            report = now => NoteDone(now, request.Work, figures, hasLeft);
        }
        catch (Exception exception)
        {
            Log.WorkFailed(environment.Logger, proposal.JobId, request.Work.ToString(), exception);
            Failure failure = await FailureReason.OfAsync(exception, environment, effects.Stopping).ConfigureAwait(false);
            report = now => _machine.HandleFailed(now, request.Work, failure);
        }

        _loop.Post(report);
    }

    private void NoteDone(Instant now, SourceWork work, RoundFigures figures, bool hasLeft)
    {
        if (hasLeft)
            _machine.NoteLeft();
        _machine.HandleDone(now, work, figures.RootfsBytes, figures.Memory);
        if (work == SourceWork.CopyRound && _machine.LastRound is { } round)
            _reporter.EndRound(round);
    }

    private void Listen(ControlChannel control)
    {
        control.StartReading(
            (message, stop) => _loop.PostAndWaitAsync(now => _machine.HandleMessage(now, message), stop),
            reason => _loop.Post(now => _machine.HandleFault(now, reason)),
            () => _loop.Post(now => _machine.HandleSessionEnd(now, "the target ended the control stream.")));
        session.Completion.ContinueWith(
            ended => _loop.Post(now => _machine.HandleSessionEnd(now, ended.Result.Reason)), TaskScheduler.Default);
    }

    /// <summary>At most one such event waits in the loop, however many bytes move.</summary>
    private void NoteProgress()
    {
        _reporter.Advance();
        if (Interlocked.Exchange(ref _isProgressPosted, 1) == 1)
            return;
        _loop.Post(now =>
        {
            Volatile.Write(ref _isProgressPosted, 0);
            _machine.HandleProgress(now);
        });
    }

    private static MigrationPhase? PhaseOf(SourceState state) => state switch
    {
        SourceState.Proposing => MigrationPhase.Checking,
        SourceState.Copying => MigrationPhase.Copying,
        SourceState.Freezing => MigrationPhase.Freezing,
        SourceState.Dumping => MigrationPhase.Dumping,
        SourceState.Shipping => MigrationPhase.Shipping,
        SourceState.Preparing => MigrationPhase.Restoring,
        SourceState.Committing or SourceState.Committed => MigrationPhase.Committing,
        SourceState.Giving => MigrationPhase.Giving,
        SourceState.Destroying => MigrationPhase.Destroying,
        SourceState.RollingBack => MigrationPhase.RollingBack,
        _ => null,
    };
}
