using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace P2PMigrate.Tunnel.Tests.Sockets;

/// <summary>A network namespace with nothing but loopback, for one thread; it goes with the last socket in it. Root only.</summary>
internal static partial class OwnNetwork
{
    private const int NewNetwork = 0x40000000;

    /// <summary>Runs <paramref name="work"/> on a thread of its own there; loopback has the given MTU.</summary>
    public static void Run(int mtu, Action work)
    {
        Exception? fault = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (Unshare(NewNetwork) != 0)
                    throw new InvalidOperationException($"unshare failed: {Marshal.GetLastPInvokeErrorMessage()}");
                using Process ip = Process.Start("ip", ["link", "set", "lo", "up", "mtu", $"{mtu}"]);
                ip.WaitForExit();
                Assert.Equal(0, ip.ExitCode);
                work();
            }
#pragma warning disable CA1031 // It is thrown again on the thread of the test.
            catch (Exception error)
#pragma warning restore CA1031
            {
                fault = error;
            }
        });
        thread.Start();
        thread.Join();
        if (fault is not null)
            ExceptionDispatchInfo.Throw(fault);
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);
}
