using P2PMigrate.Protocol;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Tunnel.Loop;

namespace P2PMigrate.Rendezvous.Fleet;

/// <summary>
/// Between the server's loop and its directory: requests of the core go out as they come, what the directory says waits, bounded,
/// for the loop. It owns the directory.
/// </summary>
internal sealed class FleetLink(IServerDirectory directory, DatagramLoop loop) : IDirectoryListener, IAsyncDisposable
{
    /// <summary>Words of the directory that wait for the loop; further ones are dropped.</summary>
    // spec: CONST-281
    public const int MaxWaiting = 4096;

    private RendezvousServerDriver? _driver;
    private int _waiting;

    /// <summary>Begins to listen for <paramref name="driver"/>, whose loop is started when this has succeeded: what comes before waits for it.</summary>
    public Task JoinAsync(RendezvousServerDriver driver, ServerId self, CancellationToken cancellationToken)
    {
        _driver = driver;
        return directory.JoinAsync(self, this, cancellationToken);
    }

    /// <summary>Passes a request of the core on. Loop only.</summary>
    public void Ask(FleetRequest request)
    {
        switch (request)
        {
            case AnnounceKey announce:
                directory.Announce(announce.Key, announce.Lifetime);
                break;
            case WithdrawKey withdraw:
                directory.Withdraw(withdraw.Key);
                break;
            case TellHolder tell:
                directory.TellHolder(tell.Key, tell.Message, outcome => Post((driver, now) => driver.HandleFleetOutcome(now, tell.Token, outcome)));
                break;
            case TellServer tell:
                directory.Tell(tell.Server, tell.Message);
                break;
        }
    }

    /// <inheritdoc/>
    public void Received(ReadOnlyMemory<byte> message) => Post((driver, now) => driver.HandleFleetMessage(now, message.Span));

    /// <inheritdoc/>
    public void Restored() => Post((driver, now) => driver.HandleFleetRestored(now));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => directory.DisposeAsync();

    private void Post(Action<RendezvousServerDriver, Instant> work)
    {
        if (Interlocked.Increment(ref _waiting) <= MaxWaiting && _driver is { } driver)
            loop.Post(new Word(this, driver, work));
        else
            Interlocked.Decrement(ref _waiting);
    }

    private sealed class Word(FleetLink link, RendezvousServerDriver driver, Action<RendezvousServerDriver, Instant> work) : IWish
    {
        public void Fulfil(Instant now)
        {
            Refuse();
            work(driver, now);
        }

        public void Refuse() => Interlocked.Decrement(ref link._waiting);
    }
}
