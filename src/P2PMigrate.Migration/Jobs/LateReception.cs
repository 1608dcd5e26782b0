using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Machines;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Jobs;

/// <summary>
/// Takes in, on a session in which the source has asked what became of a job, what that job's container still lacks. Whichever program of this machine the job belongs to: what arrives is on the disk, where it is looked for. Used once.
/// </summary>
// spec: MIG-105
internal sealed class LateReception(MigrationEnvironment environment, ITunnelSession session, JobId job)
{
    private const int StreamsMax = 2;
    private const int NotTaken = 0x101;

    /// <summary>Until the session ends, or <paramref name="firstWithin"/> passes without a stream. Does nothing when the container of <paramref name="peer"/> lacks nothing here.</summary>
    public async Task RunAsync(string peer, TimeSpan firstWithin, CancellationToken cancellationToken)
    {
        JournalContents? contents;
        using (JournalView? view = JournalView.TryOpen(environment.State.Journal(job)))
            contents = view?.Read().Contents; // who has it open is taken for the job's owner

        if (Open(contents, peer) is not { } late)
        {
            await RefuseAsync(firstWithin, cancellationToken).ConfigureAwait(false);
            return;
        }

        await using (late.ConfigureAwait(false))
            await ReceiveAsync(late, peer, firstWithin, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Only of one that has been let run for good: with the receipt the source destroys its copy.</summary>
    private ILateMemory? Open(JournalContents? contents, string peer)
    {
        if (contents is not { LastState: (int)TargetState.Confirming, Head: { Role: JobRole.Target, Kind: JobKind.Migration } head } || head.Peer != peer)
            return null;
        var files = new JobFiles(environment.State, job);
        return Directory.Exists(files.Images) ? environment.Runtime.OpenLateMemory(new RecoveryEffects(environment).RequestOf(head, files)) : null;
    }

    /// <summary>Whoever has something to give all the same need not wait to find out that it is not taken.</summary>
    private async Task RefuseAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(within);
        try
        {
            await using ITunnelStream stream = await session.AcceptStreamAsync(patience.Token).ConfigureAwait(false);
            await session.CloseAsync(NotTaken, "memory of this job is not taken in now", CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TunnelException or OperationCanceledException)
        {
            // it gives nothing
        }
    }

    private async Task ReceiveAsync(ILateMemory late, string peer, TimeSpan firstWithin, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var first = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        first.CancelAfter(firstWithin);
        _ = StopWithSessionAsync(stop, stop.Token);
        var streams = new List<Task>();
        try
        {
            for (CancellationToken patience = first.Token; streams.Count < StreamsMax; patience = stop.Token)
            {
                ITunnelStream stream = await session.AcceptStreamAsync(patience).ConfigureAwait(false);
                streams.Add(Task.Run(() => ReceiveOneAsync(stream, late, peer, stop.Token), CancellationToken.None));
            }

            await session.Completion.WaitAsync(stop.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TunnelException or OperationCanceledException)
        {
            // the source went away, or gives nothing
        }

        await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(streams).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task StopWithSessionAsync(CancellationTokenSource stop, CancellationToken stopped)
    {
        Task end = session.Completion;
        await end.WaitAsync(stopped).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!stopped.IsCancellationRequested)
            await stop.CancelAsync().ConfigureAwait(false); // whoever disposes of it cancels it first
    }

    /// <summary>One that fails ends the session: the source comes again.</summary>
    private async Task ReceiveOneAsync(ITunnelStream stream, ILateMemory late, string peer, CancellationToken cancellationToken)
    {
        await using (stream.ConfigureAwait(false))
        {
            try
            {
                StreamHeader header = await StreamHeader.ReadAsync(stream.Input, cancellationToken).ConfigureAwait(false);
                PeerFault.Require(header.JobId == job && header.Kind is ContentKind.LateMemory or ContentKind.WantedMemory, "opened a stream that is not for memory of the job that it asked about");
                var meter = new TransferMeter(() => { });
                if (header.Kind == ContentKind.WantedMemory)
                    await WantedPages.AskAsync(stream, late, meter, cancellationToken).ConfigureAwait(false);
                else
                    await TakeAllAsync(stream, header, late, peer, meter, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                Log.WorkFailed(environment.Logger, job, "late memory", exception);
                await session.CloseAsync(NotTaken, exception.Message, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private async Task TakeAllAsync(ITunnelStream stream, StreamHeader header, ILateMemory late, string peer, TransferMeter meter, CancellationToken cancellationToken)
    {
        await LackingPages.WriteAsync(stream.Output, late, cancellationToken).ConfigureAwait(false);
        using var kept = new KeptPages(environment.State.Job(job), late.Bytes);
        long bytes = await new PageReceiver(late.Pages, kept, new ContentBudget(late.Bytes), meter).ReceiveAsync(stream.Input, header, cancellationToken).ConfigureAwait(false);
        if (new JobFates(environment.State).Of(job, peer) is not (JobFate.UnderWay or JobFate.Runs))
            throw new ContainerException("The job was given up at the target while its memory came.");
        await new StreamReceipt(bytes).WriteAsync(stream.Output, cancellationToken).ConfigureAwait(false);
    }
}
