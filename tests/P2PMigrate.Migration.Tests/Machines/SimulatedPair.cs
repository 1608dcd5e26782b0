using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Jobs;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Protocol;

namespace P2PMigrate.Migration.Tests.Machines;

/// <summary>
/// Both machines under a virtual clock, with a link, two disks and a container, all decided by a seed. Work takes time, fails, and is cut off in the middle;
/// programs are killed and started again; the link breaks for good. What really runs is kept apart from what the machines believe.
/// </summary>
internal sealed class SimulatedPair
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(30);

    private readonly Random _random;
    private readonly PriorityQueue<Action, (long, int)> _events = new();
    private readonly MigrationTimers _timers = new();
    private readonly Side<SourceState> _source = new();
    private readonly Side<TargetState> _target = new();
    private MigrationSource? _sourceMachine;
    private MigrationTarget? _targetMachine;
    private Instant _now;
    private int _sequence;
    private bool _isLinkUp = true;

    public SimulatedPair(int seed, bool withFaults)
    {
        _random = new Random(seed);
        _sourceMachine = new MigrationSource(Proposals.Any, _timers);
        _targetMachine = new MigrationTarget(_timers);
        _sourceMachine.Start(_now);
        _targetMachine.Start(_now);
        if (withFaults)
            PlanFaults();
        WorkFails = withFaults && _random.Next(3) == 0;
    }

    public bool WorkFails { get; }

    public Copy SourceCopy { get; private set; } = Copy.Running;

    public Copy TargetCopy { get; private set; } = Copy.None;

    public string? Violation { get; private set; }

    public SourceResult? SourceResult { get; private set; }

    public bool IsSourceInDoubt { get; private set; }

    public bool IsTargetInDoubt { get; private set; }

    /// <summary>Runs until nothing can happen any more.</summary>
    public void Run()
    {
        Drain();
        while (Violation is null && NextStep() is { } step)
        {
            step();
            Drain();
            if (SourceCopy == Copy.Running && TargetCopy == Copy.Running)
                Complain("two copies run");
            if (_now - default(Instant) > s_patience)
                Complain("it does not end");
        }
    }

    private Action? NextStep()
    {
        Instant event_ = _events.TryPeek(out _, out (long At, int) next) ? new Instant(next.At) : Instant.Never;
        Instant source = _sourceMachine?.NextTimeout ?? Instant.Never;
        Instant target = _targetMachine?.NextTimeout ?? Instant.Never;
        Instant first = Instant.Min(event_, Instant.Min(source, target));
        if (first == Instant.Never)
            return null;
        _now = Instant.Max(_now, first);
        if (first == event_)
            return _events.Dequeue();
        return first == source ? () => _sourceMachine!.HandleTimeout(_now) : () => _targetMachine!.HandleTimeout(_now);
    }

    private void Drain()
    {
        while (_sourceMachine?.TryPollMessage(out ControlMessage? message) == true)
            Deliver(_target, message!, m => _targetMachine?.HandleMessage(_now, m));
        while (_targetMachine?.TryPollMessage(out ControlMessage? message) == true)
            Deliver(_source, message!, m => _sourceMachine?.HandleMessage(_now, m));
        while (_sourceMachine?.TryPollRequest(out SourceRequest request) == true)
            Begin(request);
        while (_targetMachine?.TryPollRequest(out TargetRequest request) == true)
            Begin(request);
        if (_sourceMachine?.Result is { } result)
            EndSource(result);
        if (_targetMachine?.Result is { } end)
            EndTarget(end);
    }

    private void EndSource(SourceResult result)
    {
        (_sourceMachine, SourceResult) = (null, result);
        IsSourceInDoubt = result.End == SourceState.InDoubt;
        if (result.End == SourceState.Completed && TargetCopy != Copy.Running)
            Complain("completed, but it does not run at the target");
        if (result.End == SourceState.RolledBack && SourceCopy != Copy.Running)
            Complain("rolled back, but it does not run at the source");
    }

    /// <summary>What could not be removed is removed when the program is started the next time.</summary>
    private void EndTarget(TargetResult result)
    {
        (_targetMachine, IsTargetInDoubt) = (null, result.End == TargetState.InDoubt);
        if (result.Warning is not null)
            After(60_000, RecoverTarget);
    }

    // Work: a journal record first, then the effect, then the news of it. A clean-up stops the work before it somewhere in between.
    // A freeze or a restore that fails leaves nothing behind, as IContainerRuntime promises; others may fail after they took effect.

    private void Begin(SourceRequest request)
    {
        if (request.Work == SourceWork.RollBack)
            _source.CutOff(_random);
        _source.Begin(request.Journal);
        bool mayFailLate = request.Work is not (SourceWork.Freeze or SourceWork.Ship);
        Work(_source, mayFailLate, () => Do(request.Work),
            () => _sourceMachine?.HandleDone(_now, request.Work, _random.Next(1 << 24)),
            () => _sourceMachine?.HandleFailed(_now, request.Work, new Failure(FailureKind.Other, "work failed")));
    }

    private void Begin(TargetRequest request)
    {
        if (request.Work == TargetWork.Receive)
            return;

        if (request.Work == TargetWork.CleanUp)
            _target.CutOff(_random);
        _target.Begin(request.Work == TargetWork.Admit ? TargetState.Receiving : request.Journal);
        Work(_target, request.Work != TargetWork.Restore, () => Do(request.Work), () => TellDone(request.Work),
            () => _targetMachine?.HandleFailed(_now, request.Work, new Failure(FailureKind.Other, "work failed")));
    }

    private void TellDone(TargetWork work)
    {
        if (work == TargetWork.Restore)
            _targetMachine?.HandleRestored(_now, default);
        else
            _targetMachine?.HandleDone(_now, work);
    }

    private void Work<TState>(Side<TState> side, bool mayFailLate, Action effect, Action done, Action failed)
        where TState : struct, Enum
    {
        int token = side.Token;
        bool fails = WorkFails && _random.Next(8) == 0;
        bool hasEffect = !fails || (mayFailLate && _random.Next(2) == 0);
        side.Effect = hasEffect ? effect : null;
        After(100, () => IfCurrent(side, token, () =>
        {
            side.Write();
            After(2000, () => IfCurrent(side, token, () =>
            {
                side.TakeEffect();
                After(100, () => IfCurrent(side, token, fails ? failed : done));
            }));
        }));
    }

    private static void IfCurrent<TState>(Side<TState> side, int token, Action action)
        where TState : struct, Enum
    {
        if (side.Token == token)
            action();
    }

    private void Do(SourceWork work)
    {
        switch (work)
        {
            case SourceWork.Freeze:
                SourceCopy = Copy.Frozen;
                break;
            case SourceWork.Ship when _isLinkUp:
                _targetMachine?.HandleStored(_now, StoredContent.Everything);
                break;
            case SourceWork.RollBack:
                SourceCopy = SourceCopy == Copy.Gone ? Copy.Gone : Copy.Running;
                _source.Record = SourceState.RolledBack;
                break;
            case SourceWork.Destroy:
                SourceCopy = Copy.Gone;
                break;
        }
    }

    private void Do(TargetWork work)
    {
        switch (work)
        {
            case TargetWork.Restore:
                TargetCopy = Copy.Frozen;
                break;
            case TargetWork.Release:
                TargetCopy = Copy.Running;
                break;
            case TargetWork.CleanUp:
                RemoveTarget();
                _target.Record = TargetState.Aborted;
                break;
        }
    }

    private void RemoveTarget()
    {
        if (TargetCopy == Copy.Running)
            Complain("a running copy was removed");
        TargetCopy = Copy.Gone;
    }

    // Faults.

    private void PlanFaults()
    {
        if (_random.Next(3) == 0)
            After(20_000, CutLink);
        if (_random.Next(4) == 0)
            After(20_000, () => _sourceMachine?.Cancel(_now));
        if (_random.Next(8) == 0)
            After(20_000, () => _targetMachine?.Cancel(_now));
        if (_random.Next(3) == 0)
            After(20_000, CrashSource);
        if (_random.Next(3) == 0)
            After(20_000, CrashTarget);
    }

    private void CutLink()
    {
        if (!_isLinkUp)
            return;
        _isLinkUp = false;
        After(10_000, () => _sourceMachine?.HandleSessionEnd(_now, "lost"));
        After(10_000, () => _targetMachine?.HandleSessionEnd(_now, "lost"));
    }

    private void CrashSource()
    {
        CutLink();
        if (_sourceMachine is null)
            return;
        _sourceMachine = null;
        _source.Crash(_random);
        After(60_000, RecoverSource);
    }

    private void CrashTarget()
    {
        CutLink();
        if (_targetMachine is null)
            return;
        _targetMachine = null;
        _target.Crash(_random);
        After(60_000, RecoverTarget);
    }

    private void RecoverSource()
    {
        switch (RecoveryRules.ForSource(Convert.ToInt32(_source.Record), _source.HasTornTail))
        {
            case RecoveryAction.Thawed:
                SourceCopy = Copy.Running;
                break;
            case RecoveryAction.Destroyed:
                SourceCopy = Copy.Gone;
                break;
            case RecoveryAction.InDoubt:
                IsSourceInDoubt = true;
                break;
        }
    }

    private void RecoverTarget()
    {
        switch (RecoveryRules.ForTarget(Convert.ToInt32(_target.Record), _target.HasTornTail))
        {
            case RecoveryAction.CleanedUp:
                RemoveTarget();
                break;
            case RecoveryAction.InDoubt:
                IsTargetInDoubt = true;
                break;
        }
    }

    /// <summary>In order; when the link is cut, what is on its way may or may not arrive.</summary>
    private void Deliver<TState>(Side<TState> receiver, ControlMessage message, Action<ControlMessage> handle)
        where TState : struct, Enum
    {
        if (!_isLinkUp)
            return;
        Instant at = Instant.Max(receiver.LastDelivery, _now + TimeSpan.FromMilliseconds(_random.Next(1, 400)));
        receiver.LastDelivery = at;
        bool survivesCut = _random.Next(2) == 0;
        _events.Enqueue(
            () =>
            {
                if (_isLinkUp || survivesCut)
                    handle(message);
            },
            (at.Nanoseconds, _sequence++));
    }

    private void After(int maxMilliseconds, Action action) =>
        _events.Enqueue(action, ((_now + TimeSpan.FromMilliseconds(_random.Next(1, maxMilliseconds))).Nanoseconds, _sequence++));

    private void Complain(string violation) => Violation ??= violation;

    /// <summary>What a copy does.</summary>
    internal enum Copy
    {
        None,
        Running,
        Frozen,
        Gone,
    }

    /// <summary>A program's disk, and the piece of work it is at.</summary>
    private sealed class Side<TState>
        where TState : struct, Enum
    {
        private TState? _writing;

        public TState Record { get; set; }

        public bool HasTornTail { get; private set; }

        public int Token { get; private set; }

        public Action? Effect { get; set; }

        public Instant LastDelivery { get; set; }

        public void Begin(TState? record)
        {
            Token++;
            _writing = record;
        }

        public void Write()
        {
            if (_writing is { } record)
                Record = record;
            _writing = null;
        }

        public void TakeEffect()
        {
            Effect?.Invoke();
            Effect = null;
        }

        /// <summary>The work under way is stopped: its record is written, its effect has happened, or neither.</summary>
        public void CutOff(Random random)
        {
            Token++;
            if (_writing is not null && random.Next(2) == 0)
                Write();
            if (_writing is null && random.Next(2) == 0)
                TakeEffect();
            (_writing, Effect) = (null, null);
        }

        /// <summary>Killed: like stopped, but the record may also be torn.</summary>
        public void Crash(Random random)
        {
            HasTornTail = _writing is not null && random.Next(3) == 0;
            if (HasTornTail)
                (Token, _writing, Effect) = (Token + 1, null, null);
            else
                CutOff(random);
        }
    }
}
