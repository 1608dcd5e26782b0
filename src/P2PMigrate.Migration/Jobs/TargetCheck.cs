using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Transfer;

namespace P2PMigrate.Migration.Jobs;

/// <summary>The target's questions before it accepts: is the name free, is there room, and what does the runtime say?</summary>
internal sealed class TargetCheck(MigrationEnvironment environment)
{
    /// <summary>Disk space that must be left when everything has arrived.</summary>
    public const long DiskReserve = 256L << 20;

    /// <summary>This machine's time of day.</summary>
    public DateTimeOffset Now => environment.Time.GetUtcNow();

    /// <summary>Takes the container's lock and returns it when nothing blocks the job; else throws <see cref="CheckFailedException"/>.</summary>
    // spec: MIG-06
    public async Task<FileLock> RunAsync(Propose proposal, CancellationToken cancellationToken)
    {
        DateTimeOffset arrived = Now;
        environment.State.Create();
        FileLock turn = FileLock.TryTake(environment.State.Lock(proposal.Name))
            ?? throw CheckFailedException.Of(Busy(proposal).Subject, Busy(proposal).Message, Busy(proposal).Remedy!);
        try
        {
            var findings = new List<Finding>(OwnFindings(proposal));
            if (findings.Count == 0)
                findings.AddRange(await environment.Runtime.CheckTargetAsync(proposal.Container, proposal.Machine, cancellationToken).ConfigureAwait(false));
            findings.AddRange(ClockCheck.FindingsOn(proposal, arrived));
            CheckFailedException.ThrowIfBlocked(findings);
            CheckFailedException.ThrowIfBlocked([.. RoomFindings(proposal)]);
            return turn;
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    /// <summary>The same questions and those about the machine, for somebody who only asks, of a proposal that came when it was <paramref name="arrived"/> here: takes nothing, and the store does not give way. What is good is among the findings.</summary>
    // spec: MIG-170
    public async Task<IReadOnlyList<Finding>> AskAsync(Propose proposal, DateTimeOffset arrived, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>([.. ClockCheck.FindingsOn(proposal, arrived), .. OwnFindings(proposal)]);
        if (environment.Runtime.Of(proposal.Container.Runtime) is { } runtime)
        {
            findings.AddRange(await runtime.CheckMachineAsync(cancellationToken).ConfigureAwait(false));
            try
            {
                findings.AddRange(await environment.Runtime.CheckTargetAsync(proposal.Container, proposal.Machine, cancellationToken).ConfigureAwait(false));
            }
            catch (ContainerException missing)
            {
                // What is not there cannot be asked; the machine's own findings say so with a remedy.
                if (!findings.Exists(finding => finding.Severity == FindingSeverity.Blocker))
                    findings.Add(Blocker("runtime", missing.Message, "Repair it at the target."));
            }
        }

        long needed = NeededBytes(proposal), room = FreeBytes() + environment.State.ChunkStore.KeptBytes;
        findings.Add(room < needed ? NoRoom(needed, room) : new Finding(FindingSeverity.Good, "disk", $"The target needs {needed >> 20} MiB in {environment.State.Root} and has {room >> 20} MiB.", null));
        return findings;
    }

    // spec: MIG-161
    private IEnumerable<Finding> OwnFindings(Propose proposal)
    {
        StateDirectory state = environment.State;
        if (environment.Runtime.Of(proposal.Container.Runtime) is null)
            yield return Blocker("runtime", $"The container runs under {proposal.Container.Runtime}, the target takes containers of {environment.Runtime.Name}.", $"Install {proposal.Container.Runtime} at the target if it is missing there, and start p2pmigrate receive without --runtime.");
        if (FindUnfinished(proposal.Name) is { } earlier)
        {
            if (IsUnderWay(earlier))
            {
                yield return Busy(proposal);
                yield break;
            }

            // Before whatever of it may be left here: that may be the only copy.
            string direction = earlier.Role == JobRole.Target ? "to" : "away from";
            yield return Blocker("job", $"An earlier migration of '{proposal.Name}' {direction} the target is unfinished there.", $"At the target, type: p2pmigrate resume {earlier.JobId}");
            yield break;
        }

        if (Directory.Exists(state.Bundle(proposal.Name)))
            yield return Blocker("container", $"The target has a bundle of the name '{proposal.Name}' already.", $"Remove {state.Bundle(proposal.Name)} at the target if it is not needed.");
        if (File.Exists(state.Journal(proposal.JobId)) || File.Exists(state.EndedJournal(proposal.JobId)))
            yield return Blocker("job", "The target knows this job already.", "Start the migration anew.");
    }

    /// <summary>Asked last: the store gives way only to a job that nothing else blocks.</summary>
    // spec: MIG-141
    private IEnumerable<Finding> RoomFindings(Propose proposal)
    {
        StateDirectory state = environment.State;
        long needed = NeededBytes(proposal);
        long free = FreeBytes();
        if (free < needed)
        {
            state.ChunkStore.MakeRoom(needed - free);
            free = FreeBytes();
        }

        if (free < needed)
            yield return NoRoom(needed, free);
    }

    private static Finding Busy(Propose proposal) =>
        Blocker("container", $"'{proposal.Name}' takes part in another migration at the target right now.", "Try again when it has ended.");

    private bool IsUnderWay(JournalHead job)
    {
        using JournalView? view = JournalView.TryOpen(environment.State.Journal(job.JobId));
        return view?.FindOwner(environment.State.Journal(job.JobId)) is not null;
    }

    private Finding NoRoom(long needed, long free) =>
        Blocker("disk", $"The target needs {needed >> 20} MiB in {environment.State.Root} and has {free >> 20} MiB.", "Make room there.");

    /// <summary>What a job left, of either role, is removed by the container's name, and must not be what comes now.</summary>
    // spec: MIG-133
    private JournalHead? FindUnfinished(ContainerName container) =>
        JournalView.HeadsIn(environment.State).FirstOrDefault(head => head.Container == container);

    private long FreeBytes() => new DriveInfo(environment.State.Root).AvailableFreeSpace;

    /// <summary>The root file system twice (as chunks and as a tree), memory twice (as pages that are kept and as an image), and a reserve.</summary>
    // spec: MIG-27, MIG-87
    internal static long NeededBytes(Propose proposal) =>
        (2 * proposal.RootfsBytes) + KeptPages.BytesFor(proposal.Container.MemoryBytes) + proposal.Container.MemoryBytes + DiskReserve;

    private static Finding Blocker(string subject, string message, string remedy) => new(FindingSeverity.Blocker, subject, message, remedy);
}
