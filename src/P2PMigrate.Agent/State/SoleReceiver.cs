namespace P2PMigrate.Agent.State;

/// <summary>
/// Sees to it that one program at a time receives with a state directory: two would admit the holder of a ticket once each, and forget each other's. The kernel ends it with its
/// owner, also when that is killed; the file stays behind and means nothing.
/// </summary>
// spec: MIG-153
internal sealed class SoleReceiver : IDisposable
{
    private const string FileName = "receive.lock";
    private const int WouldBlock = 11;

    private readonly FileStream _file;

    private SoleReceiver(FileStream file) => _file = file;

    /// <summary>Takes the place; throws <see cref="UsageException"/> when somebody else has it.</summary>
    public static SoleReceiver Take(string directory)
    {
        try
        {
            return new SoleReceiver(new FileStream(Path.Combine(directory, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException exception) when (exception.HResult == WouldBlock)
        {
            throw new UsageException(
                $"Another `p2pmigrate receive` works with the state directory {directory}. One takes in several containers at a time; for another with tickets of its own choose another --state-dir.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
