using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace P2PMigrate.Lab;

/// <summary>
/// A running tcpdump in one node, writing whole packets of all its interfaces to <see cref="File"/>. At a router only
/// what comes in is kept: every forwarded packet, once. The file disappears with the lab unless it was placed elsewhere.
/// </summary>
public sealed class PacketCapture : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(10);

    /// <summary>In KiB: half a second at full speed. With a quarter of it packets were lost to a 200 MB/s stream.</summary>
    private const int KernelBuffer = 262144;

    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DrainPoll = TimeSpan.FromMilliseconds(20);

    private const int DiscardPort = 9;

    private readonly LabNode _node;
    private readonly LabProcess _tcpdump;

    private PacketCapture(LabNode node, LabProcess tcpdump, string file)
    {
        _node = node;
        _tcpdump = tcpdump;
        File = file;
    }

    /// <summary>The capture in pcap form; complete once <see cref="StopAsync"/> has returned.</summary>
    public string File { get; }

    /// <summary>Returns when tcpdump listens: no later packet is missed.</summary>
    internal static async Task<PacketCapture> StartAsync(LabNode node, string file, CancellationToken cancellationToken)
    {
        string direction = LabMap.Routers.Contains(node.Name) ? "in" : "inout";
        string[] arguments =
        [
            "-i", "any", "-Q", direction, "-n", "-s", "0", "-U", "-w", file,
            "-B", KernelBuffer.ToString(CultureInfo.InvariantCulture), "-Z", "root",
        ];
        LabProcess tcpdump = await node.StartAsync("tcpdump", arguments, cancellationToken).ConfigureAwait(false);
        try
        {
            static bool IsReady(string line) => line.Contains("listening on", StringComparison.Ordinal);
            await tcpdump.Error.WaitForAsync(IsReady, StartLimit, cancellationToken).ConfigureAwait(false);
            return new PacketCapture(node, tcpdump, file);
        }
        catch
        {
            await tcpdump.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Ends the capture once every packet up to now is in the file. Throws a <see cref="LabException"/> when packets
    /// were lost to it, for then it proves nothing.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        await DrainAsync(cancellationToken).ConfigureAwait(false);
        _tcpdump.Signal(UnixSignal.Interrupt);
        CommandResult result = await _tcpdump.CompleteAsync(cancellationToken).ConfigureAwait(false);
        bool complete = result.EnsureSuccess().Error.Split('\n').Any(line => line.StartsWith("0 packets dropped by kernel", StringComparison.Ordinal));
        if (!complete) throw new LabException("the capture is not complete: " + result.Error);
    }

    public ValueTask DisposeAsync() => _tcpdump.DisposeAsync();

    /// <summary>An interrupted tcpdump forgets what the kernel still holds for it, so a last packet is sent and waited for.</summary>
    private async Task DrainAsync(CancellationToken cancellationToken)
    {
        byte[] last = Guid.NewGuid().ToByteArray();
        await using var tail = new FileStream(File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        tail.Seek(0, SeekOrigin.End);
        using Socket socket = _node.OpenSocket(SocketType.Dgram, ProtocolType.Udp);
        await socket.SendToAsync(last, new IPEndPoint(IPAddress.Loopback, DiscardPort), cancellationToken).ConfigureAwait(false);

        long deadline = Environment.TickCount64 + (long)DrainLimit.TotalMilliseconds;
        using var seen = new MemoryStream();
        while (seen.GetBuffer().AsSpan(0, (int)seen.Length).IndexOf(last) < 0)
        {
            if (Environment.TickCount64 > deadline) throw new LabException($"tcpdump did not catch up within {DrainLimit.TotalSeconds:0} s");
            await Task.Delay(DrainPoll, cancellationToken).ConfigureAwait(false);
            await tail.CopyToAsync(seen, cancellationToken).ConfigureAwait(false);
        }
    }
}
