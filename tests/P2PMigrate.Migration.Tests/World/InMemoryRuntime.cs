using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Migration.Tests.World;

/// <summary>
/// A container runtime without containers: keeps every promise of <see cref="IContainerRuntime"/> on a <see cref="SimulatedMachine"/>.
/// <see cref="Step"/> is called with the name of every step and may throw, wait or pull a plug. Killed, it never returns from anything.
/// </summary>
internal sealed class InMemoryRuntime(SimulatedMachine machine) : IContainerRuntime
{
    private const string FenceFile = "fence";

    private volatile bool _isDead;

    public Func<string, Task>? Step { get; set; }

    public SimulatedMachine Machine => machine;

    public List<Finding> TargetFindings { get; } = [];

    /// <summary>What a file of pages says when it is closed, as one does that still has something to write to a full disk.</summary>
    public Exception? PagesCannotBeClosed { get; set; }

    /// <summary>Can it let a container run before all of its memory is there?</summary>
    public bool TakesLate { get; set; } = true;

    /// <summary>Pages that a container needs to be restored, by their numbers.</summary>
    public int[] TouchedInRestore { get; set; } = [60, 599];

    /// <summary>Pages that a container needs as soon as it runs.</summary>
    public int[] TouchedWhenRunning { get; set; } = [99, 100, 450];

    /// <summary>Was the program killed?</summary>
    public bool IsDead => _isDead;

    public string Name => "simulated";

    /// <summary>The program is gone: whoever waits for it waits for ever.</summary>
    public void Kill() => _isDead = true;

    public async Task AtAsync(string step, CancellationToken cancellationToken = default)
    {
        if (Step is not null && !_isDead)
            await Step(step);
        if (_isDead)
            await new TaskCompletionSource().Task;
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Something that cannot fail has happened; the program may be killed.</summary>
    public async Task AfterAsync(string step)
    {
        try
        {
            await AtAsync(step);
        }
        catch (ContainerException)
        {
            // Nobody would hear of it.
        }
    }

    public async Task<MachineFacts> DescribeMachineAsync(CancellationToken cancellationToken)
    {
        await AtAsync("describe", cancellationToken);
        return new MachineFacts { CriuVersion = "4.2.1", RuntimeVersion = "1", KernelRelease = "6", Architecture = "x86_64", CpuFeatures = ["a", "b"] };
    }

    public Task<IReadOnlyList<Finding>> CheckMachineAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<Finding>>([]);

    public Task<ContainerDescription> InspectAsync(string name, string? bundle, CancellationToken cancellationToken) =>
        machine.Find(name) is { State: CopyState.Running } container
            ? Task.FromResult(Describe(container))
            : throw new ContainerException($"There is no running container '{name}'.");

    public Task<bool> LivesAsync(string name, CancellationToken cancellationToken) => Task.FromResult(machine.Find(name) is { State: CopyState.Running });

    public Task<IReadOnlyList<Finding>> CheckSourceAsync(ContainerDescription container, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Finding>>([]);

    public async Task<IReadOnlyList<Finding>> CheckTargetAsync(ContainerDescription container, MachineFacts source, CancellationToken cancellationToken)
    {
        await AtAsync("check", cancellationToken);
        return machine.Find(container.Name) is null
            ? TargetFindings
            : [new Finding(FindingSeverity.Blocker, "container", $"'{container.Name}' exists here already.", "Remove it.")];
    }

    public ILiveMemory? OpenLiveMemory(ContainerDescription container) =>
        machine.Find(container.Name) is { } copy ? new InMemoryLiveMemory(this, copy) : null;

    public async Task<IFreezePlan> PrepareFreezeAsync(ContainerDescription container, string workDirectory, CancellationToken cancellationToken)
    {
        await AtAsync("prepare freeze", cancellationToken);
        return new InMemoryFreezePlan((stopping, stop) => FreezeAsync(container, workDirectory, stopping, stop));
    }

    private async Task<IFence> FreezeAsync(ContainerDescription container, string workDirectory, Action stopping, CancellationToken cancellationToken)
    {
        await AtAsync("freeze", cancellationToken);
        SimulatedContainer copy = machine.Find(container.Name) ?? throw new ContainerException("It is gone.");
        copy.Live();
        await File.WriteAllTextAsync(Path.Combine(workDirectory, FenceFile), container.Name, CancellationToken.None);
        stopping();
        copy.Become(CopyState.Frozen);
        var fence = new InMemoryFence(this, copy, workDirectory);
        try
        {
            await AtAsync("frozen", cancellationToken);
            return fence;
        }
        catch
        {
            copy.Become(CopyState.Running);
            throw;
        }
    }

    public async Task<IFence?> ReopenFenceAsync(string workDirectory, CancellationToken cancellationToken)
    {
        string path = Path.Combine(workDirectory, FenceFile);
        if (!File.Exists(path) || machine.Find(await File.ReadAllTextAsync(path, cancellationToken)) is not { } copy)
            return null;
        return new InMemoryFence(this, copy, workDirectory);
    }

    public IPageSink CreatePageWriter(string imageDirectory) => new InMemoryPageWriter(this, imageDirectory);

    public bool TakesLateMemory(RestoreRequest request) => TakesLate;

    public bool LacksMemory(RestoreRequest request) => ArrivalOf(request) is { IsComplete: false };

    public ILateMemory? OpenLateMemory(RestoreRequest request) => InMemoryImages.ReadLater(request.ImageDirectory).Count == 0 ? null
        : new InMemoryLateMemory(this, machine.Expect(JobOf(request), () => InMemoryImages.BeginArrival(request.ImageDirectory, machine.World)));

    public async Task<IReadOnlyList<Finding>> VerifyAsync(RestoreRequest request, CancellationToken cancellationToken)
    {
        await AtAsync("verify", cancellationToken);
        return InMemoryImages.FindDifferences(request.ImageDirectory, request.RootPath);
    }

    public Task PrepareRestoreAsync(RestoreRequest request, CancellationToken cancellationToken) => AtAsync("prepare restore", cancellationToken);

    public async Task<IHeldContainer> RestoreAsync(RestoreRequest request, CancellationToken cancellationToken)
    {
        await AtAsync("restore", cancellationToken);
        if (machine.Find(request.Container.Name) is not null)
            throw new ContainerException($"'{request.Container.Name}' exists here already.");
        SimulatedContainer copy = Build(request);
        try
        {
            if (copy.Arrival is { } arrival)
                await arrival.TouchAsync(TouchedInRestore, cancellationToken);
            await AtAsync("restored", cancellationToken);
            return new InMemoryHeldContainer(this, copy);
        }
        catch
        {
            copy.Become(CopyState.Gone);
            throw;
        }
    }

    /// <summary>Was what this runtime wrote down about its restores lost, as it is when a machine is started again?</summary>
    public bool HasForgotten { get; set; }

    public Task<RestoredState> FindRestoredAsync(RestoreRequest request, CancellationToken cancellationToken) => Task.FromResult(machine.Find(request.Container.Name)?.State switch
    {
        CopyState.Held when !HasForgotten => RestoredState.NeverRan,
        CopyState.Running when !HasForgotten => RestoredState.Runs,
        _ => RestoredState.Unknown,
    });

    public async Task CompleteAsync(RestoreRequest request, CancellationToken cancellationToken)
    {
        await AtAsync("complete", cancellationToken);
        if (ArrivalOf(request) is not { } arrival)
            return;
        await arrival.WhenComplete.WaitAsync(cancellationToken);
        await AtAsync("completed", cancellationToken);
    }

    public Task KeepAsync(RestoreRequest request, CancellationToken cancellationToken) =>
        machine.Find(request.Container.Name) is { State: CopyState.Running }
            ? Task.CompletedTask
            : throw new ContainerException($"'{request.Container.Name}' does not run here.");

    public async Task CleanUpAsync(RestoreRequest request, CancellationToken cancellationToken)
    {
        await AtAsync("clean", cancellationToken);
        if (machine.Find(request.Container.Name) is not { } copy || (copy.State == CopyState.Running && !HasForgotten))
            return; // one that it has let run it leaves alone
        if (copy.State == CopyState.Running)
            machine.World.Complain($"a running copy of '{copy.Name}' was cleaned up");
        copy.Become(CopyState.Gone);
    }

    // spec: MEM-24
    private SimulatedContainer Build(RestoreRequest request)
    {
        if (InMemoryImages.ReadLater(request.ImageDirectory).Count == 0)
            return machine.Start(request.Container.Name, request.RootPath, InMemoryImages.ReadMemory(request.ImageDirectory), CopyState.Held);
        LateArrival arrival = ArrivalOf(request) ?? throw new InvalidOperationException("late memory is to be opened before the restore");
        SimulatedContainer copy = machine.Start(request.Container.Name, request.RootPath, arrival.NewMemory(), CopyState.Held);
        copy.Await(arrival);
        return copy;
    }

    private LateArrival? ArrivalOf(RestoreRequest request) => machine.FindArrival(JobOf(request));

    /// <summary>A program that was started again finds it by that: its state directory is another.</summary>
    private static string JobOf(RestoreRequest request) => Path.GetFileName(Path.GetDirectoryName(request.ImageDirectory))!;

    private static ContainerDescription Describe(SimulatedContainer container) => new()
    {
        Name = container.Name,
        Runtime = "simulated",
        BundlePath = Path.GetDirectoryName(container.Root)!,
        RootPath = container.Root,
        Configuration = "{\"ociVersion\":\"1.0\"}"u8.ToArray(),
        InitPid = 1,
        CgroupPath = "/nowhere",
        MemoryBytes = container.Memory.Length,
        ProcessCount = 1,
    };
}

/// <summary>A plan that has nothing to undo.</summary>
internal sealed class InMemoryFreezePlan(Func<Action, CancellationToken, Task<IFence>> freeze) : IFreezePlan
{
    public Task<IFence> FreezeAsync(Action stopping, CancellationToken cancellationToken) => freeze(stopping, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
