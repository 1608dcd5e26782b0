using System.Globalization;
using System.Net;
using System.Net.Sockets;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// Receives the memory of one dump from the local CRIU: it connects once, to a port on loopback that exists for this dump only.
/// Connections that do not belong to our own user are dropped unheard. Disposing it closes the connection, which is
/// the gentle way to make CRIU fail a dump. <c>senders</c> are the processes one of which is that CRIU; its end of the connection is made to
/// send at once what it is given.
/// </summary>
internal sealed class PageServerSink : IMemoryDelivery
{
    private const int StrangersMax = 64;
    private const int BufferBytes = 4 << 20;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly PageServerDialect _dialect;
    private readonly IPageSink _pages;
    private readonly Func<IEnumerable<int>> _senders;

    public PageServerSink(PageServerDialect dialect, IPageSink pages, Func<IEnumerable<int>> senders)
    {
        (_dialect, _pages, _senders) = (dialect, pages, senders);
        _listener.ReceiveBufferSize = BufferBytes;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Address = (IPEndPoint)_listener.LocalEndPoint!;
    }

    /// <summary>What CRIU is told to connect to; nobody can before <see cref="RunAsync(CancellationToken)"/>.</summary>
    public IPEndPoint Address { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> RuncOptions => ["--page-server", Address.ToString()];

    /// <inheritdoc/>
    public IReadOnlyList<string> DirectOptions => ["--page-server", "--address", Address.Address.ToString(), "--port", Address.Port.ToString(CultureInfo.InvariantCulture)];

    /// <inheritdoc/>
    public IReadOnlyList<string> CriuOptions => [];

    /// <inheritdoc/>
    public TimeSpan Patience => CheckpointTimers.LastAnswer;

    /// <inheritdoc/>
    public void Started()
    {
    }

    /// <inheritdoc/>
    public Task<long> RunAsync(Task<bool> complete, CancellationToken cancellationToken) => RunAsync(cancellationToken);

    /// <summary>Serves the one connection until all pages are where they belong; returns how many pages had content.</summary>
    public async Task<long> RunAsync(CancellationToken cancellationToken)
    {
        _listener.Listen(1);
        using Socket accepted = await AcceptOursAsync(cancellationToken).ConfigureAwait(false);
        _listener.Dispose();
        accepted.NoDelay = true;
        await using var connection = new NetworkStream(accepted, ownsSocket: false);
        var peer = (IPEndPoint)accepted.RemoteEndPoint!;
        return await new PageServerConversation(connection, _dialect, _pages, () => Task.Run(() => Uncork(peer), CancellationToken.None))
            .RunAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>CRIU corks its socket when it has connected and is heard first after that. It goes on meanwhile.</summary>
    private void Uncork(IPEndPoint peer)
    {
        if (LoopbackPeer.InodeOf(peer, Address) is { } inode) ForeignSocket.TryUncork(inode, _senders());
    }

    private async Task<Socket> AcceptOursAsync(CancellationToken cancellationToken)
    {
        for (int strangers = 0; strangers < StrangersMax; strangers++)
        {
            Socket accepted = await _listener.AcceptAsync(cancellationToken).ConfigureAwait(false);
            if (LoopbackPeer.IsOurUser((IPEndPoint)accepted.RemoteEndPoint!, Address)) return accepted;
            accepted.Dispose();
        }

        throw new ContainerException("Another user of this machine keeps connecting to the port that waits for CRIU's memory pages; find and stop that program.");
    }
}
