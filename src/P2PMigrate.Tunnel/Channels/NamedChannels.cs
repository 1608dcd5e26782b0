using System.IO.Pipelines;
using Nerdbank.Streams;

namespace P2PMigrate.Tunnel.Channels;

/// <summary>
/// Many small conversations over one stream, found by name: what one side offers under a name, the other accepts under it,
/// whoever comes first. For control and for protocols made of many short exchanges. Each channel has its own window, but
/// all share the stream: a lost packet delays all of them, and bytes cost about half a CPU-second per GB more than on a
/// stream. Bulk belongs on streams of its own. Any thread may use it.
/// </summary>
public sealed class NamedChannels : IAsyncDisposable
{
    /// <summary>The longest name, in UTF-8 bytes.</summary>
    public const int MaxNameLength = 255;

    /// <summary>Channels that the peer may have offered and nobody here has accepted. One more ends all channels.</summary>
    // spec: CONST-150
    internal const int MaxUnaccepted = 1024;

    private readonly MultiplexingStream _channels;
    private int _unaccepted;

    private NamedChannels(MultiplexingStream channels)
    {
        _channels = channels;
        channels.ChannelOffered += (_, _) => CountOffer();
        channels.StartListening();
    }

    /// <summary>
    /// Completes when no channel can be offered or accepted any more: after disposal on either side, or when the session
    /// ended. Never faults.
    /// </summary>
    public Task Completion => _channels.Completion.ContinueWith(
        static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>
    /// Takes over <paramref name="stream"/>, which either side has opened and nobody has used, on both sides. A stream of
    /// the class <see cref="StreamPriority.Urgent"/> suits most; its class is that of all channels.
    /// </summary>
    public static NamedChannels Over(ITunnelStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return new NamedChannels(MultiplexingStream.Create(stream.AsStream(), new MultiplexingStream.Options { ProtocolMajorVersion = 3, StartSuspended = true }));
    }

    /// <summary>
    /// Offers a channel and waits until the other side accepts it. Completing both directions of the pipe ends it. Throws
    /// <see cref="ArgumentException"/> for a name that is too long, <see cref="TunnelException"/> when the channels or the
    /// session ended first.
    /// </summary>
    public async ValueTask<IDuplexPipe> OfferAsync(string name, CancellationToken cancellationToken = default) =>
        await UnlessEndedAsync(_channels.OfferChannelAsync(Checked(name), cancellationToken), cancellationToken).ConfigureAwait(false);

    /// <summary>Accepts a channel of that name, now or once it is offered. Throws as <see cref="OfferAsync"/> does.</summary>
    public async ValueTask<IDuplexPipe> AcceptAsync(string name, CancellationToken cancellationToken = default)
    {
        IDuplexPipe accepted = await UnlessEndedAsync(_channels.AcceptChannelAsync(Checked(name), cancellationToken), cancellationToken).ConfigureAwait(false);
        Interlocked.Decrement(ref _unaccepted);
        return accepted;
    }

    /// <summary>Ends all channels, on both sides, and the stream.</summary>
    public async ValueTask DisposeAsync() => await _channels.DisposeAsync().ConfigureAwait(false);

    // An offer that was withdrawn counts too: its name is kept until somebody accepts it.
    private void CountOffer()
    {
        if (Interlocked.Increment(ref _unaccepted) > MaxUnaccepted)
            _ = _channels.DisposeAsync().AsTask();
    }

    private static string Checked(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return System.Text.Encoding.UTF8.GetByteCount(name) <= MaxNameLength
            ? name
            : throw new ArgumentException($"The name of a channel has at most {MaxNameLength} bytes.", nameof(name));
    }

    private static async Task<IDuplexPipe> UnlessEndedAsync(Task<MultiplexingStream.Channel> channel, CancellationToken cancellationToken)
    {
        try
        {
            return await channel.ConfigureAwait(false);
        }
        catch (Exception end) when (!cancellationToken.IsCancellationRequested && end is not TunnelException)
        {
            throw new TunnelException(TunnelFailure.Closed, "The named channels have ended.", end);
        }
    }
}
