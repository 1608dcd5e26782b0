using System.Runtime.CompilerServices;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Protocol;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// One session at the target, alive: feeds a <see cref="MigrationTarget"/> with what happens and has <see cref="TargetEffects"/> do what
/// it asks for. Used once.
/// </summary>
internal sealed class TargetJob(
    MigrationEnvironment environment, ITunnelSession session, ReceiveOptions options, IProgress<MigrationProgress>? progress) : IAsyncDisposable
{
    private readonly MachineLoop _loop = new(environment.Time);
    private readonly MigrationTarget _machine = new(
        environment.Timers, environment.Downtimes.Costs is { Migrations: > 0 } learned ? learned : null);
    private readonly CancellationTokenSource _over = new();
    private ProgressReporter? _reporter;
    private ControlChannel? _control;
    private int _isProgressPosted;
    private bool _isArrivalTold;
    private Task _accepting = Task.CompletedTask;
    private Task _work = Task.CompletedTask;

    /// <summary>Waits for a proposal and runs the job to its end. The session is left open for its owner to close.</summary>
    public async Task<ReceiveOutcome> RunAsync(CancellationToken cancellationToken)
    {
        var effects = new TargetEffects(environment, session, options, new TransferMeter(NoteProgress), NoteStored);
        await using (effects.ConfigureAwait(false))
        {
            using CancellationTokenRegistration interrupt = cancellationToken.Register(() => Interrupt(effects));
            await using ConfiguredAsyncDisposable watching = AbortWatch.Start(environment, () => _machine.Proposal?.JobId, () => _loop.Post(_machine.Cancel)).ConfigureAwait(false);
            _accepting = AcceptControlAsync();
            _ = session.Completion.ContinueWith(
                ended => _loop.Post(now => _machine.HandleSessionEnd(now, ended.Result.Reason)), TaskScheduler.Default);
            _machine.Start(_loop.Now);
            await _loop.RunAsync(() => _machine.NextTimeout, _machine.HandleTimeout, () => Drain(effects)).ConfigureAwait(false);
            await _work.ConfigureAwait(false);
            await SayFarewellAsync().ConfigureAwait(false);
            if (_machine is { HasSourceEnded: true, Proposal: { } proposal })
                effects.ForgetEnd(proposal.JobId);
        }

        _reporter?.Enter(null);
        return OutcomeOf(_machine.Result!);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        if (_control is not null)
            await _control.DisposeAsync().ConfigureAwait(false);
        _over.Dispose();
    }

    private void Interrupt(TargetEffects effects)
    {
        effects.StopWaiting();
        _loop.Post(_machine.Cancel);
    }

    private bool Drain(TargetEffects effects)
    {
        ReportPhase(effects);
        while (_machine.TryPollMessage(out ControlMessage? message))
        {
            if (_control?.TrySend(message) == false)
                _loop.Post(now => _machine.HandleFault(now, "The source does not read what it is told."));
        }

        while (_machine.TryPollRequest(out TargetRequest request))
            Start(effects, request);
        TellArrival();
        return _machine.Result is not null;
    }

    /// <summary>The source may be gone, which its session tells only by a long silence.</summary>
    // spec: MIG-152
    private void TellArrival()
    {
        if (_isArrivalTold || !_machine.HasArrived)
            return;
        _isArrivalTold = true;
        options.Arrived?.Invoke(ArrivalOf(_machine.Proposal!, _machine.Warning));
    }

    private static ReceiveOutcome ArrivalOf(Propose proposal, string? warning) => new(ReceiveEnd.Completed, proposal.JobId, proposal.Name.Value, warning);

    /// <summary>Receiving goes on beside everything else, so nothing waits for its end but the clean-up.</summary>
    private void Start(TargetEffects effects, TargetRequest request)
    {
        if (request.Work == TargetWork.Receive)
            effects.StartReceiving(exception => _ = ReportReceivingAsync(exception));
        else
            _work = CarryOutAsync(effects, request, _work);
    }

    private async Task CarryOutAsync(TargetEffects effects, TargetRequest request, Task previous)
    {
        Propose proposal = _machine.Proposal!;
        Action<Instant> report;
        try
        {
            PrepareTimes times = await Task.Run(() => effects.CarryOutAsync(request, proposal, previous)).ConfigureAwait(false);
            if (request.Work == TargetWork.Admit)
                _loop.Post(_ => _machine.TakesLate = effects.TakesLate);
            report = request.Work == TargetWork.Restore
                ? now => _machine.HandleRestored(now, times)
                : now => _machine.HandleDone(now, request.Work);
        }
        catch (Exception exception)
        {
            report = Failed(request.Work, exception, FailureReason.Of(exception, environment.State));
        }

        _loop.Post(report);
    }

    private async Task ReportReceivingAsync(Exception exception)
    {
        Failure failure = await FailureReason.OfAsync(exception, environment, _over.Token).ConfigureAwait(false);
        _loop.Post(Failed(TargetWork.Receive, exception, failure));
    }

    private Action<Instant> Failed(TargetWork work, Exception exception, Failure failure)
    {
        Log.WorkFailed(environment.Logger, _machine.Proposal!.JobId, work.ToString(), exception);
        return now => _machine.HandleFailed(now, work, failure);
    }

    /// <summary>The first stream of a session is the control stream.</summary>
    // spec: MIG-01
    private async Task AcceptControlAsync()
    {
        try
        {
            ITunnelStream stream = await session.AcceptStreamAsync(_over.Token).ConfigureAwait(false);
            _control = new ControlChannel(stream);
            if (stream.Priority != StreamPriority.Control)
                _loop.Post(now => _machine.HandleFault(now, "The source opened another stream before the control stream."));
            else
                _control.StartReading(
                    (message, stop) => _loop.PostAndWaitAsync(now => _machine.HandleMessage(now, message), stop),
                    reason => _loop.Post(now => _machine.HandleFault(now, reason)),
                    () => _loop.Post(now => _machine.HandleSessionEnd(now, "the source ended the control stream.")));
        }
        catch (Exception exception) when (exception is TunnelException or OperationCanceledException)
        {
            // The session has ended, or this job has.
        }
    }

    private async Task SayFarewellAsync()
    {
        await _over.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        if (_control is not null)
            await _control.FinishAsync(environment.Timers.Farewell, environment.Time).ConfigureAwait(false);
    }

    private void NoteStored(StoredContent content) => _loop.Post(now => _machine.HandleStored(now, content));

    /// <summary>At most one such event waits in the loop, however many bytes move.</summary>
    private void NoteProgress()
    {
        _reporter?.Advance();
        if (Interlocked.Exchange(ref _isProgressPosted, 1) == 1)
            return;
        _loop.Post(now =>
        {
            Volatile.Write(ref _isProgressPosted, 0);
            _machine.HandleProgress(now);
        });
    }

    private void ReportPhase(TargetEffects effects)
    {
        if (_reporter is null && _machine.Proposal is { } proposal)
        {
            _reporter = new ProgressReporter(environment, proposal.JobId, proposal.Name.Value, progress);
            _reporter.Watch(effects.Meter);
        }

        if (PhaseOf(_machine.State) is { } phase)
            _reporter?.Enter(_machine.State == TargetState.Confirming && effects.HasLate ? MigrationPhase.Giving : phase);
    }

    private ReceiveOutcome OutcomeOf(TargetResult result)
    {
        ReceiveEnd end = result.End switch
        {
            TargetState.Completed => ReceiveEnd.Completed,
            TargetState.Refused => ReceiveEnd.Refused,
            TargetState.Aborted when result is { HadCommitted: true, Warning: not null } => ReceiveEnd.InDoubt,
            TargetState.Unused => ReceiveEnd.NothingProposed,
            _ => ReceiveEnd.Aborted,
        };
        string? reason = string.Join(' ', new[] { result.Failure?.Reason, result.Warning }.Where(text => text is not null));
        Log.JobEnded(environment.Logger, result.Proposal?.JobId ?? default, result.Proposal?.Name.Value ?? "", end.ToString(), reason);
        return new ReceiveOutcome(end, result.Proposal?.JobId, result.Proposal?.Name.Value, reason.Length == 0 ? null : reason);
    }

    private static MigrationPhase? PhaseOf(TargetState state) => state switch
    {
        TargetState.Checking or TargetState.Admitting => MigrationPhase.Checking,
        TargetState.Receiving => MigrationPhase.Copying,
        TargetState.Restoring or TargetState.Holding => MigrationPhase.Restoring,
        TargetState.Releasing or TargetState.Confirming => MigrationPhase.Committing,
        TargetState.CleaningUp => MigrationPhase.RollingBack,
        _ => null,
    };
}
