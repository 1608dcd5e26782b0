using System.IO.Pipelines;

namespace P2PMigrate.Tunnel.Tests.Endpoint;

/// <summary>Bulk that flows through a stream, not too fast, for several tests share the machine, until it is disposed.</summary>
internal sealed class Trickle : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop;
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly Task _work;
    private long _received;

    private Trickle(ITunnelStream sending, ITunnelStream receiving, CancellationToken cancellationToken)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _work = Task.WhenAll(Task.Run(() => SendAsync(sending), cancellationToken), Task.Run(() => ReceiveAsync(receiving), cancellationToken));
    }

    /// <summary>Begins, through a stream that is open.</summary>
    public static Trickle Start(ITunnelStream sending, ITunnelStream receiving) => new(sending, receiving, TestContext.Current.CancellationToken);

    /// <summary>Begins, through a new stream.</summary>
    public static async Task<Trickle> StartAsync(TunnelSession from, TunnelSession to, CancellationToken cancellationToken)
    {
        ITunnelStream sending = await from.OpenStreamAsync(StreamPriority.Bulk, cancellationToken);
        await sending.Output.WriteAsync(new byte[1], cancellationToken);
        return new Trickle(sending, await to.AcceptStreamAsync(cancellationToken), cancellationToken);
    }

    /// <summary>Completes when so many bytes more have arrived; fails when it ends, or nothing comes for a minute.</summary>
    public async Task WaitForMoreAsync(long bytes)
    {
        for (long wanted = Interlocked.Read(ref _received) + bytes; Interlocked.Read(ref _received) < wanted;)
            Assert.True(await _arrived.WaitAsync(TimeSpan.FromSeconds(60), _stop.Token) && !_work.IsCompleted, "Nothing comes any more.");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        _arrived.Dispose();
    }

    private async Task SendAsync(ITunnelStream stream)
    {
        byte[] piece = new byte[16 << 10];
        while (true)
        {
            await stream.Output.WriteAsync(piece, _stop.Token);
            await Task.Delay(1, _stop.Token);
        }
    }

    private async Task ReceiveAsync(ITunnelStream stream)
    {
        while (true)
        {
            ReadResult read = await stream.Input.ReadAsync(_stop.Token);
            Interlocked.Add(ref _received, read.Buffer.Length);
            stream.Input.AdvanceTo(read.Buffer.End);
            _arrived.Release();
        }
    }
}
