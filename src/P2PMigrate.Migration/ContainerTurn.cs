using P2PMigrate.Migration.Journal;

namespace P2PMigrate.Migration;

/// <summary>A container's name, kept from the jobs of this machine by somebody who does something with it that is no job. Disposing gives it back; so does the end of the process.</summary>
// spec: MIG-06
public sealed class ContainerTurn : IDisposable
{
    private readonly FileLock _turn;

    private ContainerTurn(FileLock turn) => _turn = turn;

    /// <summary>Takes it; null when a job has it, or has left something of that name unfinished.</summary>
    public static ContainerTurn? TryTake(StateDirectory state, ContainerName container)
    {
        state.Create();
        if (FileLock.TryTake(state.Lock(container)) is not { } turn)
            return null;
        if (!JournalView.HeadsIn(state).Any(head => head.Container == container))
            return new ContainerTurn(turn);
        turn.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();
}
