using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using P2PMigrate.Protocol.Identity;
using P2PMigrate.Protocol.Rendezvous;
using P2PMigrate.Rendezvous.Fleet;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Rendezvous.Tests.Fleet;

/// <summary>What servers may expect of a directory, whatever it is made of.</summary>
public abstract class ServerDirectoryTests : IAsyncLifetime
{
    private static readonly TimeSpan s_long = TimeSpan.FromMinutes(1);

    private readonly List<Member> _members = [];

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public abstract ValueTask InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (Member member in _members)
            await member.Directory.DisposeAsync();
        await CloseAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    [Trait("Spec", "RDV-42")]
    public async Task A_message_for_a_peers_server_reaches_that_server_and_no_other()
    {
        (Member near, Member far, Member other) = (await JoinAsync(), await JoinAsync(), await JoinAsync());
        far.Directory.Announce(Peer(1), s_long);
        other.Directory.Announce(Peer(2), s_long);

        Assert.Equal(FleetOutcome.Taken, await near.TellUntilTakenAsync(Peer(1), Enumerable.Repeat((byte)9, 1200).ToArray()));

        Assert.Equal(Enumerable.Repeat((byte)9, 1200), (await far.Messages.Reader.ReadAsync(Token)).ToArray());
        Assert.False(other.Messages.Reader.TryRead(out _));
        Assert.False(near.Messages.Reader.TryRead(out _));
    }

    [Fact]
    [Trait("Spec", "RDV-44")]
    public async Task A_message_for_a_server_reaches_it()
    {
        (Member near, Member far) = (await JoinAsync(), await JoinAsync());

        near.Directory.Tell(far.Id, new byte[] { 1, 2, 3 });

        Assert.Equal([1, 2, 3], (await far.Messages.Reader.ReadAsync(Token)).ToArray());
    }

    /// <summary>At once, or when a connection that came back has been up for a while.</summary>
    [Fact]
    [Trait("Spec", "RDV-42")]
    public async Task A_peer_that_nobody_announced_is_unknown()
    {
        Member near = await JoinAsync();
        FleetOutcome outcome = FleetOutcome.Failed;
        await UntilAsync(async () => (outcome = await near.TellAsync(Peer(1), new byte[1])) != FleetOutcome.Failed);
        Assert.Equal(FleetOutcome.Unknown, outcome);
    }

    [Fact]
    [Trait("Spec", "RDV-41")]
    public async Task The_latest_announcement_counts_and_only_its_server_can_take_it_back()
    {
        (Member near, Member first, Member second) = (await JoinAsync(), await JoinAsync(), await JoinAsync());
        first.Directory.Announce(Peer(1), s_long);
        await near.TellUntilTakenAsync(Peer(1), new byte[1]);
        second.Directory.Announce(Peer(1), s_long);
        await UntilAsync(async () => await near.TellAsync(Peer(1), new byte[1]) == FleetOutcome.Taken && second.Messages.Reader.TryRead(out _));

        first.Directory.Withdraw(Peer(1));
        first.Directory.Announce(Peer(2), s_long); // in order after it
        await near.TellUntilTakenAsync(Peer(2), new byte[1]);
        Assert.Equal(FleetOutcome.Taken, await near.TellAsync(Peer(1), new byte[1]));

        second.Directory.Withdraw(Peer(1));
        await UntilAsync(async () => await near.TellAsync(Peer(1), new byte[1]) == FleetOutcome.Unknown);
    }

    [Fact]
    [Trait("Spec", "RDV-41")]
    public async Task An_entry_ends_with_its_lifetime()
    {
        (Member near, Member far) = (await JoinAsync(), await JoinAsync());
        far.Directory.Announce(Peer(1), TimeSpan.FromSeconds(2));
        await near.TellUntilTakenAsync(Peer(1), new byte[1]);

        await UntilAsync(async () => await near.TellAsync(Peer(1), new byte[1]) == FleetOutcome.Unknown);
    }

    [Fact]
    [Trait("Spec", "RDV-42")]
    public async Task A_peer_whose_server_is_gone_is_unknown_though_its_entry_lives()
    {
        (Member near, Member far) = (await JoinAsync(), await JoinAsync());
        far.Directory.Announce(Peer(1), s_long);
        await near.TellUntilTakenAsync(Peer(1), new byte[1]);

        await far.Directory.DisposeAsync();

        await UntilAsync(async () => await near.TellAsync(Peer(1), new byte[1]) == FleetOutcome.Unknown);
    }

    /// <summary>Opens the directory as one more server sees it.</summary>
    private protected abstract Task<IServerDirectory> OpenAsync();

    /// <summary>Ends what it is made of.</summary>
    protected abstract ValueTask CloseAsync();

    private protected static FleetKey Peer(byte number) => FleetKey.OfPeer(new PeerId(number, 77));

    private protected async Task<Member> JoinAsync()
    {
        var member = new Member(await OpenAsync(), ServerId.Create(CryptographicEntropy.Instance));
        _members.Add(member);
        await member.Directory.JoinAsync(member.Id, member, Token);
        return member;
    }

    private protected static async Task UntilAsync(Func<Task<bool>> holds)
    {
        while (!await holds())
            await Task.Delay(20, TestContext.Current.CancellationToken);
    }

    private protected sealed class Member(IServerDirectory directory, ServerId id) : IDirectoryListener
    {
        public IServerDirectory Directory { get; } = directory;

        public ServerId Id { get; } = id;

        public Channel<ReadOnlyMemory<byte>> Messages { get; } = Channel.CreateUnbounded<ReadOnlyMemory<byte>>();

        public TaskCompletionSource WasRestored { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Received(ReadOnlyMemory<byte> message) => Messages.Writer.TryWrite(message);

        public void Restored() => WasRestored.TrySetResult();

        public Task<FleetOutcome> TellAsync(FleetKey peer, byte[] message)
        {
            var outcome = new TaskCompletionSource<FleetOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
            Directory.TellHolder(peer, message, outcome.SetResult);
            return outcome.Task;
        }

        public async Task<FleetOutcome> TellUntilTakenAsync(FleetKey peer, byte[] message)
        {
            FleetOutcome outcome = FleetOutcome.Unknown;
            await UntilAsync(async () => (outcome = await TellAsync(peer, message)) == FleetOutcome.Taken);
            return outcome;
        }
    }
}

/// <summary>The directory within a process.</summary>
public sealed class MemoryDirectoryTests : ServerDirectoryTests
{
    private readonly MemoryDirectory _directory = new(TimeProvider.System);

    public override ValueTask InitializeAsync() => ValueTask.CompletedTask;

    private protected override Task<IServerDirectory> OpenAsync() => Task.FromResult(_directory.Open());

    protected override ValueTask CloseAsync() => ValueTask.CompletedTask;
}

/// <summary>The directory in a real redis-server.</summary>
public sealed class RedisDirectoryTests : ServerDirectoryTests
{
    private RedisProcess? _redis;

    public override async ValueTask InitializeAsync() => _redis = await RedisProcess.StartAsync(Token);

    [Fact]
    [Trait("Spec", "RDV-40")]
    public async Task A_redis_that_is_killed_fails_requests_and_its_return_is_told()
    {
        Member member = await JoinAsync();
        await _redis!.KillAsync();

        Assert.Equal(FleetOutcome.Failed, await member.TellAsync(Peer(1), new byte[1]));
        member.Directory.Announce(Peer(1), TimeSpan.FromMinutes(1));
        await _redis.StartAgainAsync(Token);

        await member.WasRestored.Task.WaitAsync(TimeSpan.FromSeconds(60), Token);
        await UntilAsync(async () =>
        {
            member.Directory.Announce(Peer(1), TimeSpan.FromMinutes(1));
            return await member.TellAsync(Peer(1), new byte[1]) == FleetOutcome.Taken; // and it is subscribed again
        });
    }

    [Fact]
    [Trait("Spec", "RDV-40")]
    public async Task A_redis_that_hangs_fails_requests_and_holds_no_more_than_the_limit()
    {
        Member member = await JoinAsync();
        _redis!.Pause();
        for (int count = 0; count < 3 * RedisDirectory.MaxPending; count++)
            member.Directory.Announce(Peer(1), TimeSpan.FromMinutes(1));

        Task<FleetOutcome> refused = member.TellAsync(Peer(1), new byte[1]);
        Assert.True(refused.IsCompleted, "It waits although there is no room.");
        Assert.Equal(FleetOutcome.Failed, await refused);

        _redis.Resume();
        await UntilAsync(async () =>
        {
            member.Directory.Announce(Peer(1), TimeSpan.FromMinutes(1));
            return await member.TellAsync(Peer(1), new byte[1]) == FleetOutcome.Taken;
        });
        await member.WasRestored.Task.WaitAsync(TimeSpan.FromSeconds(60), Token);
    }

    [Fact]
    public async Task A_redis_that_is_not_there_is_told_in_a_sentence_without_the_password()
    {
        await _redis!.KillAsync();
        TunnelException error = await Assert.ThrowsAsync<TunnelException>(
            () => RedisDirectory.ConnectAsync($"{_redis.Address},password=topsecret", NullLogger.Instance));
        Assert.Contains(_redis.Address, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("topsecret", error.Message, StringComparison.Ordinal);
        Assert.Equal(TunnelFailure.Local, error.Reason);
    }

    private protected override async Task<IServerDirectory> OpenAsync() => await RedisDirectory.ConnectAsync(_redis!.Address, NullLogger.Instance);

    protected override async ValueTask CloseAsync()
    {
        if (_redis is not null)
            await _redis.DisposeAsync();
    }
}
