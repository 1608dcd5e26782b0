using System.Globalization;

namespace P2PMigrate.Lab;

/// <summary>
/// A running tcpdump in one node, writing whole packets of all its interfaces to <see cref="File"/>; a forwarded packet
/// appears twice, as it comes and as it goes. The file disappears with the lab unless it was placed elsewhere.
/// </summary>
public sealed class PacketCapture : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);

    /// <summary>In KiB: room for some tenths of a second at full speed while the writer waits for the disk.</summary>
    private const int KernelBuffer = 65536;

    private readonly LabProcess _tcpdump;

    private PacketCapture(LabProcess tcpdump, string file)
    {
        _tcpdump = tcpdump;
        File = file;
    }

    /// <summary>The capture in pcap form; complete once <see cref="StopAsync"/> has returned.</summary>
    public string File { get; }

    /// <summary>Returns when tcpdump listens: no later packet is missed.</summary>
    internal static async Task<PacketCapture> StartAsync(LabNode node, string file, CancellationToken cancellationToken)
    {
        string[] arguments =
            ["-i", "any", "-n", "-U", "-s", "0", "-B", KernelBuffer.ToString(CultureInfo.InvariantCulture), "-Z", "root", "-w", file];
        LabProcess tcpdump = await node.StartAsync("tcpdump", arguments, cancellationToken).ConfigureAwait(false);
        try
        {
            await tcpdump.Error.WaitForAsync(line => line.Contains("listening on", StringComparison.Ordinal), StartLimit, cancellationToken).ConfigureAwait(false);
            return new PacketCapture(tcpdump, file);
        }
        catch
        {
            await tcpdump.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Ends the capture. Throws a <see cref="LabException"/> when packets were lost to it, for then it proves nothing.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        _tcpdump.Signal(UnixSignal.Interrupt);
        CommandResult result = await _tcpdump.CompleteAsync(cancellationToken).ConfigureAwait(false);
        bool complete = result.EnsureSuccess().Error.Split('\n').Any(line => line.StartsWith("0 packets dropped by kernel", StringComparison.Ordinal));
        if (!complete) throw new LabException("the capture is not complete: " + result.Error);
    }

    public ValueTask DisposeAsync() => _tcpdump.DisposeAsync();
}
