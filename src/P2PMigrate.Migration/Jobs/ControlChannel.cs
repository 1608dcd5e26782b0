using System.Buffers;
using System.Threading.Channels;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// The control stream: sends what the machine says, in order, without ever making it wait, and hands on what the peer says. Owns the stream.
/// </summary>
internal sealed class ControlChannel : IAsyncDisposable
{
    private readonly ITunnelStream _stream;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<ControlMessage> _outgoing = Channel.CreateBounded<ControlMessage>(ControlLimits.MaxQueuedMessages);
    private readonly Task _sending;
    private Task _reading = Task.CompletedTask;

    /// <summary>Takes over an open stream.</summary>
    public ControlChannel(ITunnelStream stream)
    {
        _stream = stream;
        _sending = SendAllAsync();
    }

    /// <summary>Queues a message. False when the peer has stopped reading and the queue is full.</summary>
    public bool TrySend(ControlMessage message) => _outgoing.Writer.TryWrite(message);

    /// <summary>
    /// From now on <paramref name="handle"/> gets every message, one after the other. <paramref name="fault"/> gets the reason when what came is no
    /// message, after which nothing is read; <paramref name="ended"/> is called when the peer ended the stream.
    /// </summary>
    public void StartReading(Func<ControlMessage, CancellationToken, Task> handle, Action<string> fault, Action ended) =>
        _reading = ReadAllAsync(handle, fault, ended);

    /// <summary>Hands what is queued to the tunnel, within <paramref name="timeout"/>, and ends our direction.</summary>
    public async Task FinishAsync(TimeSpan timeout, TimeProvider time)
    {
        _outgoing.Writer.TryComplete();
        try
        {
            await _sending.WaitAsync(timeout, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The peer does not read; it will see the end of the session.
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _outgoing.Writer.TryComplete();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _sending.ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task ReadAllAsync(Func<ControlMessage, CancellationToken, Task> handle, Action<string> fault, Action ended)
    {
        try
        {
            while (await _stream.Input.TryReadRecordAsync(ControlLimits.MaxMessageLength, _stop.Token).ConfigureAwait(false) is { } record)
            {
                if (!ControlCodec.TryDecode(new ReadOnlySequence<byte>(record), out ControlMessage? message, out string? reason))
                    throw PeerFault.Of($"sent what is no message: {reason}");
                await handle(message, _stop.Token).ConfigureAwait(false);
            }

            ended();
        }
        catch (MigrationException exception)
        {
            fault(exception.Message);
        }
        catch (Exception exception) when (exception is TunnelException or OperationCanceledException)
        {
            // The session has ended, or the job has; their owners see it by themselves.
        }
    }

    private async Task SendAllAsync()
    {
        try
        {
            await foreach (ControlMessage message in _outgoing.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
                await _stream.Output.WriteRecordAsync(ControlCodec.Encode(message), _stop.Token).ConfigureAwait(false);
            await _stream.Output.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TunnelException or OperationCanceledException)
        {
            // Nobody listens any more; the session's owner sees why.
        }
    }
}
