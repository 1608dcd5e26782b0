using P2PMigrate.Lab;

namespace P2PMigrate.TunnelBench.Ground;

/// <summary>
/// Measures a transfer from outside, whoever carries it: in one window in its middle, bytes and CPU time alike, and from before the first
/// program starts until the last one has said what arrived. No contender's clock or counter decides when the window opens.
/// </summary>
internal sealed class TransferWindow(TimeSpan time, TimeSpan skip)
{
    /// <summary>More than handshakes and greetings take: that much arrives only when a transfer has begun.</summary>
    private const long BeginsAfter = 64 << 10;

    /// <summary>How long a transfer goes on after the window has closed, at least: its end is nobody's steady state.</summary>
    private static readonly TimeSpan s_margin = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(20);

    /// <summary>How long contenders are to send. Whole seconds, since some take no others.</summary>
    public TimeSpan Sending => TimeSpan.FromSeconds(Math.Ceiling((skip + time + s_margin).TotalSeconds));

    /// <summary>
    /// Opens <c>skip</c> after the first bytes of what <paramref name="carry"/> carries and closes <c>time</c> later. <paramref name="carry"/> starts
    /// the programs, sends for as long as <see cref="Sending"/> and returns how many payload bytes came in all.
    /// </summary>
    public async Task<Transfer> MeasureAsync(BenchNetwork network, Func<CancellationToken, Task<double>> carry, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Reading first = Reading.Take(network);
        Task<double> carrying = carry(stop.Token);
        Task<Usage> watching = WatchAsync(network, first.ArrivedBytes, carrying, stop.Token);
        try
        {
            double payload = await carrying;
            Usage whole = Reading.Take(network).Since(first);
            return new Transfer(payload, whole, await watching);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAny(watching); // Nothing may look at a network that is taken down.
        }
    }

    private async Task<Usage> WatchAsync(BenchNetwork network, long before, Task carrying, CancellationToken cancellationToken)
    {
        while (network.ArrivedBytes - before < BeginsAfter)
        {
            if (carrying.IsCompleted)
                throw new LabException("nothing was carried");
            await Task.Delay(s_look, cancellationToken);
        }

        await Task.Delay(skip, cancellationToken);
        Reading from = Reading.Take(network);
        await Task.Delay(time, cancellationToken);
        Reading to = Reading.Take(network);
        return carrying.IsCompleted ? throw new LabException("the transfer ended before the window did") : to.Since(from);
    }
}

/// <summary>
/// <paramref name="Payload"/> bytes came in <paramref name="Whole"/>, with programs' start and end; <paramref name="Window"/> is the part from its middle.
/// </summary>
internal readonly record struct Transfer(double Payload, Usage Whole, Usage Window)
{
    /// <summary>Payload's share of what arrived, over the whole transfer. It does not change while a transfer goes on steadily.</summary>
    public double PayloadShare => Payload / Whole.ArrivedBytes;

    /// <summary>Payload that arrived in the window.</summary>
    public double WindowPayload => Window.ArrivedBytes * PayloadShare;
}
