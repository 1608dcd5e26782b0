using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Lab;

/// <summary>
/// Does something on a thread of its own inside another network namespace. A socket stays in the namespace where it
/// was made, so it can be used from everywhere afterwards; the thread is never reused.
/// </summary>
internal static class NetworkThread
{
    public static T Run<T>(string namespacePath, Func<T> action)
    {
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using SafeFileHandle handle = File.OpenHandle(namespacePath);
                Native.EnterNetworkNamespace(handle);
                result = action();
            }
            catch (Exception thrown)
            {
                failure = ExceptionDispatchInfo.Capture(thrown);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }
}
