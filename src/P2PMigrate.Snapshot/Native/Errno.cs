using System.Runtime.InteropServices;
using P2PMigrate.Snapshot.Manifests;

namespace P2PMigrate.Snapshot.Native;

/// <summary>The error numbers that are told apart, and how the others become sentences.</summary>
internal static class Errno
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int Interrupted = 4;
    public const int NoSuchDeviceOrAddress = 6;
    public const int Exists = 17;
    public const int CrossDevice = 18;
    public const int NotDirectory = 20;
    public const int Invalid = 22;
    public const int Range = 34;
    public const int Loop = 40;
    public const int NoData = 61;
    public const int NotSupported = 95;

    /// <summary>The error of the last call.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>Does <paramref name="error"/> mean that a path no longer leads to what was there a moment ago?</summary>
    public static bool IsVanished(int error) => error is NoEntry or NotDirectory or Loop or CrossDevice;

    /// <summary>Throws when <paramref name="result"/> says that the call failed.</summary>
    public static long Check(long result, string action, TreePath path) => result >= 0 ? result : throw Failure(action, path);

    /// <summary>The last error as an exception: <c>Cannot change the owner of "etc/passwd": Operation not permitted.</c></summary>
    public static SnapshotException Failure(string action, TreePath path) => Failure(action, path.ToString());

    /// <inheritdoc cref="Failure(string, TreePath)"/>
    public static SnapshotException Failure(string action, string path) =>
        new($"Cannot {action} \"{path}\": {Marshal.GetPInvokeErrorMessage(Last)}.");
}
