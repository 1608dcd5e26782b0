using Microsoft.Extensions.Logging;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Tunnel;
using StackExchange.Redis;

namespace P2PMigrate.Rendezvous.Fleet;

/// <summary>
/// A directory in a Redis: a key with an expiry for each peer, a channel for each server. Requests wait for nothing while the
/// connection is down, and only so many wait for their answers; those that fail are remembered as one fact, and told as
/// <see cref="IDirectoryListener.Restored"/> with the first that succeeds. Any thread.
/// </summary>
internal sealed class RedisDirectory : IServerDirectory
{
    /// <summary>Requests without an answer; further ones fail at once.</summary>
    // spec: CONST-282
    public const int MaxPending = 4096;

    /// <summary>How long an answer is waited for.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How long the first connection may take.</summary>
    public static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(5);

    /// <summary>After the Redis was away, "no entry" is no answer for this long: the other servers are only just putting theirs back.</summary>
    // spec: CONST-283
    public static readonly TimeSpan Doubt = TimeSpan.FromSeconds(5);

    // Deletes an entry only if it is still this server's. spec: RDV-41
    private const string WithdrawScript = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

    private readonly ConnectionMultiplexer _connection;
    private readonly IDatabase _database;
    private readonly ISubscriber _subscriber;
    private readonly ILogger _logger;
    private IDirectoryListener? _listener;
    private RedisValue _self;
    private int _pending;
    private int _isBehind;
    private long _doubtUntil;

    private RedisDirectory(ConnectionMultiplexer connection, ILogger logger)
    {
        _connection = connection;
        _database = connection.GetDatabase();
        _subscriber = connection.GetSubscriber();
        _logger = logger;
    }

    /// <summary>
    /// Connects to <paramref name="server"/>: <c>HOST:PORT</c> and what StackExchange.Redis takes besides, such as
    /// <c>,password=…,ssl=true</c>. Throws <see cref="TunnelException"/> (<see cref="TunnelFailure.Local"/>) when that fails; later the
    /// connection comes back by itself whenever it is lost.
    /// </summary>
    public static async Task<RedisDirectory> ConnectAsync(string server, ILogger logger)
    {
        try
        {
            ConfigurationOptions options = ConfigurationOptions.Parse(server);
            options.AbortOnConnectFail = true;
            options.ConnectRetry = 1;
            options.ConnectTimeout = (int)ConnectPatience.TotalMilliseconds;
            options.AsyncTimeout = (int)Patience.TotalMilliseconds;
            options.BacklogPolicy = BacklogPolicy.FailFast; // a message of seconds ago is of no use
            options.ClientName = "p2pmigrate-rendezvous";
            options.ReconnectRetryPolicy = new LinearRetry(1000);
            return new RedisDirectory(await ConnectionMultiplexer.ConnectAsync(options).ConfigureAwait(false), logger);
        }
        catch (Exception error) when (error is RedisException or ArgumentException or TimeoutException)
        {
            throw new TunnelException(TunnelFailure.Local, $"The Redis at {FleetOptions.ServersOf(server)} cannot be used: {FirstSentence(error.Message)}", error);
        }
    }

    /// <inheritdoc/>
    public async Task JoinAsync(ServerId self, IDirectoryListener listener, CancellationToken cancellationToken)
    {
        _self = self.ToString();
        _listener = listener;
        _connection.ConnectionFailed += (_, failed) => Log.DirectoryLost(_logger, failed.FailureType.ToString());
        _connection.ConnectionRestored += (_, _) =>
        {
            Volatile.Write(ref _isBehind, 1); // it may have been started anew, and empty
            Volatile.Write(ref _doubtUntil, Environment.TickCount64 + (long)Doubt.TotalMilliseconds);
            Log.DirectoryRestored(_logger);
            _ = AskAsync(() => _database.PingAsync());
        };
        await SubscribeAsync(listener, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Announce(FleetKey key, TimeSpan lifetime) => _ = AskAsync(() => _database.StringSetAsync(KeyOf(key), _self, lifetime));

    /// <inheritdoc/>
    public void Withdraw(FleetKey key) => _ = AskAsync(() => _database.ScriptEvaluateAsync(WithdrawScript, [KeyOf(key)], [_self]));

    /// <inheritdoc/>
    public void TellHolder(FleetKey key, ReadOnlyMemory<byte> message, Action<FleetOutcome> done) => _ = TellHolderAsync(key, message, done);

    /// <inheritdoc/>
    public void Tell(ServerId server, ReadOnlyMemory<byte> message) =>
        _ = AskAsync(() => _subscriber.PublishAsync(ChannelOf(server.ToString()), message));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    // The connection for subscriptions is a second one, which may be up a moment after the first.
    private async Task SubscribeAsync(IDirectoryListener listener, CancellationToken cancellationToken)
    {
        for (long start = Environment.TickCount64; ; await Task.Delay(20, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                await _subscriber.SubscribeAsync(ChannelOf(_self!), (_, message) => listener.Received((byte[])message!)).ConfigureAwait(false);
                return;
            }
            catch (Exception error) when (IsExpected(error))
            {
                if (Environment.TickCount64 - start > ConnectPatience.TotalMilliseconds)
                    throw new TunnelException(TunnelFailure.Local, $"The Redis cannot be used: {FirstSentence(error.Message)}", error);
            }
        }
    }

    private async Task TellHolderAsync(FleetKey key, ReadOnlyMemory<byte> message, Action<FleetOutcome> done)
    {
        long? takers = null;
        (bool isAnswered, RedisValue server) = await AskAsync(() => _database.StringGetAsync(KeyOf(key))).ConfigureAwait(false);
        if (isAnswered && server.HasValue)
            takers = await AskAsync(() => _subscriber.PublishAsync(ChannelOf(server!), message)).ConfigureAwait(false) is (true, long count) ? count : null;
        bool isUnknown = isAnswered && (server.IsNull || takers == 0);
        done(takers > 0 ? FleetOutcome.Taken
            : isUnknown && Environment.TickCount64 >= Volatile.Read(ref _doubtUntil) ? FleetOutcome.Unknown
            : FleetOutcome.Failed);
    }

    private async Task<(bool IsAnswered, T? Answer)> AskAsync<T>(Func<Task<T>> request)
    {
        if (Interlocked.Increment(ref _pending) > MaxPending)
        {
            Interlocked.Decrement(ref _pending);
            Volatile.Write(ref _isBehind, 1);
            return (false, default);
        }

        try
        {
            T answer = await request().ConfigureAwait(false);
            if (Interlocked.Exchange(ref _isBehind, 0) == 1)
                _listener?.Restored();
            return (true, answer);
        }
        catch (Exception error) when (IsExpected(error))
        {
            Volatile.Write(ref _isBehind, 1);
            return (false, default);
        }
        finally
        {
            Interlocked.Decrement(ref _pending);
        }
    }

    private static RedisKey KeyOf(FleetKey key) => key.Kind switch
    {
        FleetKeyKind.Peer => $"p2pmigrate:1:peer:{key.High:x32}{key.Low:x32}",
        FleetKeyKind.InitiatorSide => $"p2pmigrate:1:side:{key.High:x32}:1",
        _ => $"p2pmigrate:1:side:{key.High:x32}:2",
    };

    private static RedisChannel ChannelOf(string server) => RedisChannel.Literal($"p2pmigrate:1:server:{server}");

    // What the client throws when the connection is down, slow, or disposed while something waits.
    private static bool IsExpected(Exception error) => error is RedisException or TimeoutException or ObjectDisposedException or OperationCanceledException;

    private static string FirstSentence(string text) => text.Contains("uthentication", StringComparison.Ordinal)
        ? "it asks for another password or user, as in HOST:PORT,user=…,password=…."
        : text.Split(". ")[0].TrimEnd('.') + ".";
}
