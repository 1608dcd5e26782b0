using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using P2PMigrate.Migration.Runtime;
using P2PMigrate.Snapshot;
using P2PMigrate.Snapshot.Pages;
using P2PMigrate.Tunnel;

namespace P2PMigrate.Migration.Transfer;

/// <summary>Both ends of the stream on which single pages are asked for by a container that runs before its memory has come.</summary>
// spec: MIG-102
internal static class WantedPages
{
    /// <summary>At the source: answers until the target ends the stream. <paramref name="asked"/> is called at each question, and when its answer has gone.</summary>
    public static async Task AnswerAsync(ITunnelStream stream, IRemainingMemory memory, TransferMeter meter, Action asked, CancellationToken cancellationToken)
    {
        byte[] content = new byte[WantedRecord.PagesMax * PageRun.PageSize];
        while (await stream.Input.TryReadExactlyAsync(WantedRecord.Size, cancellationToken).ConfigureAwait(false) is { } bytes)
        {
            asked();
            WantedRecord wanted = WantedRecord.Read(bytes);
            int pages = memory.Read(wanted.Process, wanted.Address, (int)wanted.Pages, content);
            Write(stream.Output, wanted with { Pages = (uint)pages }, content.AsSpan(0, pages * PageRun.PageSize), meter);
            await stream.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
            asked();
        }
    }

    /// <summary>At the target: asks for what the container waits for, and takes in what comes, until cancelled.</summary>
    public static async Task AskAsync(ITunnelStream stream, ILateMemory memory, TransferMeter meter, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var open = new StrongBox<int>();
        Task asking = SendQuestionsAsync(stream.Output, memory, open, either.Token);
        Task taking = TakeAsync(stream.Input, memory, meter, open, either.Token);
        Task first = await Task.WhenAny(asking, taking).ConfigureAwait(false);
        await either.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(asking, taking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first.ConfigureAwait(false);
    }

    private static void Write(PipeWriter output, WantedRecord record, ReadOnlySpan<byte> pages, TransferMeter meter)
    {
        record.Write(output.GetSpan(WantedRecord.Size));
        output.Advance(WantedRecord.Size);
        int length = PageBlock.Encode(pages, output.GetSpan(PageBlock.MaxLength));
        output.Advance(length);
        meter.Move(pages.Length, WantedRecord.Size + length);
    }

    /// <summary>What lies beside a wanted page comes with it, but the less of that the more others wait: <paramref name="open"/> are under way.</summary>
    private static async Task SendQuestionsAsync(PipeWriter output, ILateMemory memory, StrongBox<int> open, CancellationToken cancellationToken)
    {
        while (true)
        {
            WantedPage wanted = await memory.WaitForWantedAsync(cancellationToken).ConfigureAwait(false);
            int pages = wanted.Pages / Math.Max(1, Interlocked.Increment(ref open.Value));
            new WantedRecord(wanted.Process, wanted.Address, (uint)Math.Clamp(pages, 1, WantedRecord.PagesMax)).Write(output.GetSpan(WantedRecord.Size));
            output.Advance(WantedRecord.Size);
            await output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task TakeAsync(PipeReader input, ILateMemory memory, TransferMeter meter, StrongBox<int> open, CancellationToken cancellationToken)
    {
        var blocks = new PageBlockReader(meter);
        byte[] content = new byte[PageBlock.MaxContentLength];
        while (await input.TryReadExactlyAsync(WantedRecord.Size, cancellationToken).ConfigureAwait(false) is { } bytes)
        {
            WantedRecord come = WantedRecord.Read(bytes);
            Interlocked.Decrement(ref open.Value);
            await blocks.ReadBlockAsync(input, come.Pages, content, cancellationToken).ConfigureAwait(false);
            memory.Take(come.Process, come.Address, content.AsSpan(0, (int)come.Pages * PageRun.PageSize));
        }
    }
}
