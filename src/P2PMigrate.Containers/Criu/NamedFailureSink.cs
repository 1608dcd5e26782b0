using P2PMigrate.Snapshot;

namespace P2PMigrate.Containers.Criu;

/// <summary>The sink that memory pages go to failed: not CRIU's fault. The reason is inside.</summary>
internal sealed class PageSinkException(Exception reason) : Exception(reason.Message, reason);

/// <summary>Passes everything on and turns whatever the sink throws into a <see cref="PageSinkException"/>; cancellation stays as it is.</summary>
internal sealed class NamedFailureSink(IPageSink sink) : IPageSink
{
    public bool TakesLater => sink.TakesLater;

    public async ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken)
    {
        try
        {
            await sink.OpenAsync(space, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception reason) when (reason is not OperationCanceledException)
        {
            throw new PageSinkException(reason);
        }
    }

    public async ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
    {
        try
        {
            await sink.WriteAsync(run, pages, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception reason) when (reason is not OperationCanceledException)
        {
            throw new PageSinkException(reason);
        }
    }

    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        try
        {
            await sink.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception reason) when (reason is not OperationCanceledException)
        {
            throw new PageSinkException(reason);
        }
    }
}
