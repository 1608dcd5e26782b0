using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Criu;

/// <summary>
/// The sink's side of one page-server connection: pages come from a dumping CRIU and go to an <see cref="IPageSink"/>. Runs of
/// any length are handed on in pieces of at most <see cref="PieceBytes"/>, straight from the receive buffer. Whatever
/// does not fit the protocol ends the conversation with a <see cref="ContainerException"/>, a connection that breaks with an
/// <see cref="IOException"/>, a sink that fails with a <see cref="PageSinkException"/>; CRIU then fails its dump by itself.
/// <paramref name="begun"/> is called once, when CRIU has said its first word.
/// </summary>
internal sealed class PageServerConversation(Stream connection, PageServerDialect dialect, IPageSink sink, Action? begun = null)
{
    /// <summary>The longest piece of a run that the sink is given at once.</summary>
    public const int PieceBytes = 1 << 20;

    /// <summary>No process has more pages in one run: 1 TiB.</summary>
    public const ulong RunPagesMax = 1UL << 28;

    private const uint PresentFlag = 4;
    private const uint KnownFlags = PresentFlag | 2;
    private static readonly byte[] s_none = [0];
    private static readonly byte[] s_fine = [0, 0, 0, 0];

    private readonly NamedFailureSink _sink = new(sink);
    private ulong? _destination;
    private ulong _nextAddress;
    private long _pages;

    /// <summary>Runs until CRIU said that there are no more pages and the sink has them all. Returns how many had content.</summary>
    public async Task<long> RunAsync(CancellationToken cancellationToken)
    {
        using var window = new ReceiveWindow(connection, PieceBytes);
        while (await window.EnsureAsync(dialect.HeaderSize, cancellationToken).ConfigureAwait(false))
        {
            PageServerHeader.TryParse(window.Take(dialect.HeaderSize).Span, dialect, out PageServerHeader header);
            Interlocked.Exchange(ref begun, null)?.Invoke();
            if (header.Command is PageServerCommand.Close or PageServerCommand.ForceClose)
            {
                await _sink.CompleteAsync(cancellationToken).ConfigureAwait(false);
                await AnswerAsync(s_fine, cancellationToken).ConfigureAwait(false);
                return _pages;
            }

            await HandleAsync(header, window, cancellationToken).ConfigureAwait(false);
        }

        throw new EndOfStreamException("CRIU hung up before it had said that all pages were sent");
    }

    private async ValueTask HandleAsync(PageServerHeader header, ReceiveWindow window, CancellationToken cancellationToken)
    {
        switch (header.Command)
        {
            case PageServerCommand.Open:
                await OpenAsync(header, cancellationToken).ConfigureAwait(false);
                break;
            case PageServerCommand.Open2:
                await OpenAsync(header, cancellationToken).ConfigureAwait(false);
                await AnswerAsync(s_none, cancellationToken).ConfigureAwait(false);
                break;
            case PageServerCommand.Parent:
                await AnswerAsync(s_fine, cancellationToken).ConfigureAwait(false);
                break;
            case PageServerCommand.Add:
                await ReceiveRunAsync(header, PresentFlag, window, cancellationToken).ConfigureAwait(false);
                break;
            case PageServerCommand.AddFlagged:
                await ReceiveRunAsync(header, header.Flags, window, cancellationToken).ConfigureAwait(false);
                break;
            default:
                throw Refuse($"command 0x{(ushort)header.Command:x} has no place in a full dump");
        }
    }

    private ValueTask OpenAsync(PageServerHeader header, CancellationToken cancellationToken)
    {
        var kind = (PageSpaceKind)(header.Destination & 0xFF);
        if (!Enum.IsDefined(kind)) throw Refuse($"page space kind {(int)kind} is unknown");
        _destination = header.Destination;
        _nextAddress = 0;
        return _sink.OpenAsync(new PageSpace(kind, header.Destination >> 8), cancellationToken);
    }

    private async ValueTask ReceiveRunAsync(PageServerHeader header, uint flags, ReceiveWindow window, CancellationToken cancellationToken)
    {
        Require(header, flags);
        _nextAddress = header.Address + (header.Pages * PageRun.PageSize);
        if ((flags & PresentFlag) == 0)
        {
            await _sink.WriteAsync(new PageRun(header.Address, (uint)header.Pages, flags), default, cancellationToken).ConfigureAwait(false);
            return;
        }

        _pages += (long)header.Pages;
        ulong address = header.Address;
        for (ulong left = header.Pages; left > 0;)
        {
            var piece = (int)Math.Min(left, PieceBytes / PageRun.PageSize);
            if (!await window.EnsureAsync(piece * PageRun.PageSize, cancellationToken).ConfigureAwait(false)) throw new EndOfStreamException("CRIU hung up within a run of pages");
            ReadOnlyMemory<byte> content = window.Take(piece * PageRun.PageSize);
            await _sink.WriteAsync(new PageRun(address, (uint)piece, flags), content, cancellationToken).ConfigureAwait(false);
            address += (ulong)content.Length;
            left -= (ulong)piece;
        }
    }

    /// <summary>A hole or an earlier snapshot's pages were never offered, so pages that claim one would be lost memory.</summary>
    private void Require(PageServerHeader run, uint flags)
    {
        if (run.Destination != _destination) throw Refuse("pages came for a space that is not open");
        if ((flags & ~KnownFlags) != 0) throw Refuse($"page flags 0x{flags:x} have no place in a full dump");
        if (run.Pages is 0 or > RunPagesMax) throw Refuse($"a run of {run.Pages} pages");
        if (run.Address % PageRun.PageSize != 0) throw Refuse($"address 0x{run.Address:x} is not a page's");
        if (run.Address < _nextAddress) throw Refuse($"address 0x{run.Address:x} came out of order");
        if (run.Address > ulong.MaxValue - (run.Pages * PageRun.PageSize)) throw Refuse($"address 0x{run.Address:x} runs over the end");
    }

    private ValueTask AnswerAsync(byte[] answer, CancellationToken cancellationToken) => connection.WriteAsync(answer, cancellationToken);

    private static ContainerException Refuse(string what) =>
        new($"The CRIU on this machine sent memory pages in a way that P2PMigrate does not know ({what}). Use CRIU 4.2 or report this.");
}
