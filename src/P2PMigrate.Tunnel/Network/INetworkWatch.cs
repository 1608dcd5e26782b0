namespace P2PMigrate.Tunnel.Network;

/// <summary>Notices that the machine's network is another one: an interface, an address or a route came, went or changed.</summary>
internal interface INetworkWatch : IDisposable
{
    /// <summary>Begins; <paramref name="changed"/> is called for every change, from any thread, until disposal. Once.</summary>
    void Start(Action changed);
}

/// <summary>Opens the watch that the machine allows.</summary>
internal static class NetworkWatch
{
    /// <summary>The kernel's own notices on Linux, the framework's elsewhere; null when there are none to be had.</summary>
    public static INetworkWatch? TryOpen() =>
        OperatingSystem.IsLinux() && Environment.Is64BitProcess ? NetlinkWatch.TryOpen() : new FrameworkWatch();
}
