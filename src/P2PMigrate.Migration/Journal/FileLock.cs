using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Migration.Journal;

/// <summary>
/// A lock that ends with its owner, also when the owner is killed: an open file that the kernel locks (<c>flock</c>). The file itself
/// stays behind and means nothing.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private const int WouldBlock = 11;

    private readonly SafeFileHandle _file;

    private FileLock(SafeFileHandle file) => _file = file;

    /// <summary>Takes the lock; null when somebody else has it.</summary>
    public static FileLock? TryTake(string path)
    {
        try
        {
            return new FileLock(File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException exception) when (IsHeldByOther(exception))
        {
            return null;
        }
    }

    /// <summary>Does opening fail because another open file holds the lock?</summary>
    public static bool IsHeldByOther(IOException exception) => exception.HResult == WouldBlock;

    /// <summary>Gives the lock back.</summary>
    public void Dispose() => _file.Dispose();
}
