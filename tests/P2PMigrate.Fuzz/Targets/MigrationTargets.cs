using System.Buffers;
using System.IO.Pipelines;
using P2PMigrate.Agent.Speed;
using P2PMigrate.Fuzz.Engine;
using P2PMigrate.Migration;
using P2PMigrate.Migration.Control;
using P2PMigrate.Migration.Depots.Remote;
using P2PMigrate.Migration.Journal;
using P2PMigrate.Migration.Transfer;
using P2PMigrate.Snapshot;

namespace P2PMigrate.Fuzz.Targets;

/// <summary>What the two machines say to each other about a migration, and the journal that a crash may have left in any state.</summary>
internal static class MigrationTargets
{
    private static readonly byte[] s_pages = new byte[3 * PageRun.PageSize];

    public static IReadOnlyList<FuzzTarget> List { get; } =
    [
        new("control-message", RunControl, ControlSeeds),
        new("page-record", bytes => PageRecord.TryParse(bytes, out _, out _), () => [new byte[32]]) { MaxLength = 64 },
        new("stream-header", RunHeader, () => [[4, 0, 0, 0, 8, 1, 16, 1]]) { MaxLength = 300 },
        new("lacking-pages", RunLacking, LackingSeeds) { MaxLength = 20 * WantedRecord.Size },
        new("journal", RunJournal, () => [[4, 10, 2, 8, 1, 2, 8, 1, 2, 8, 2], [0]]) { MaxLength = 2048 },
        new("journal-bytes", bytes => JournalContents.TryParse(bytes, out _, out _), () => [new byte[JournalFormat.FileLength]]) { MaxLength = JournalFormat.FileLength },
        new("place", RunPlace, PlaceSeeds) { MaxLength = 4200 },
        new("speed-test", RunSpeed, () => [[1, .. new byte[23]], [1, 1, 4, 0, 0x10, 0x27, .. new byte[18]]]) { MaxLength = 100 },
    ];

    private static void RunControl(byte[] bytes)
    {
        if (!ControlCodec.TryDecode(new ReadOnlySequence<byte>(bytes), out ControlMessage? message, out _))
            return;
        if (!ControlCodec.TryDecode(new ReadOnlySequence<byte>(ControlCodec.Encode(message)), out _, out string? reason))
            throw new InvalidOperationException($"A message that was read cannot be written and read again: {reason}");
    }

    // A good frame around bad content: digests keep accidents out, not what a version of ourselves wrote wrongly.
    private static void RunJournal(byte[] bytes)
    {
        byte[] file = new byte[JournalFormat.FileLength];
        int at = 0;
        byte[] head = Piece(bytes, ref at);
        JournalFormat.WriteHead(file.AsSpan(0, JournalFormat.HeadLength), head);
        ReadOnlySpan<byte> previous = JournalFormat.DigestOf(file.AsSpan(0, JournalFormat.HeadLength));
        for (int slot = 0; slot < JournalFormat.Slots && at < bytes.Length; slot++)
        {
            byte[] record = Piece(bytes, ref at);
            Span<byte> block = file.AsSpan(JournalFormat.SlotOffset(slot), JournalFormat.SlotLength);
            JournalFormat.WriteSlot(block, slot, record, previous);
            previous = JournalFormat.DigestOf(block);
        }

        JournalContents.TryParse(file, out _, out _);
    }

    private static void RunHeader(byte[] bytes)
    {
        try
        {
            PipeReader reader = PipeReader.Create(new ReadOnlySequence<byte>(bytes));
            StreamHeader.ReadAsync(reader, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }
        catch (MigrationException)
        {
            // The peer's fault, said as it has to be.
        }
    }

    // What a target lacks decides which pages of a source's go to it: pieces of what was written, in its order, and no page twice.
    private static void RunLacking(byte[] bytes)
    {
        try
        {
            LackingPages lacking = LackingPages.ReadAsync(PipeReader.Create(new ReadOnlySequence<byte>(bytes)), CancellationToken.None).GetAwaiter().GetResult();
            var sink = new OrderSink();
            HashSet<ulong> named = NamedOf(bytes);
            IPageSink gate = lacking.Before(sink);
            gate.OpenAsync(new PageSpace(PageSpaceKind.Process, 1), CancellationToken.None).AsTask().GetAwaiter().GetResult();
            foreach (ulong address in (ulong[])[0x1000, 0x4000, 0x8000])
                gate.WriteAsync(new PageRun(address, 3, 4), s_pages, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            Require(sink.Came.SetEquals(named), "What came is not what was named.");
        }
        catch (MigrationException)
        {
            // The peer's fault, said as it has to be.
        }
    }

    // Of the nine pages that are written, those that the records of process 1 name, up to the record of zeros.
    private static HashSet<ulong> NamedOf(byte[] bytes)
    {
        var named = new HashSet<ulong>();
        for (int at = 0; at + WantedRecord.Size <= bytes.Length; at += WantedRecord.Size)
        {
            WantedRecord record = WantedRecord.ReadRun(bytes.AsSpan(at, WantedRecord.Size));
            if (record.Pages == 0)
                break;
            if (record.Process != 1)
                continue;
            foreach (ulong page in (ulong[])[1, 2, 3, 4, 5, 6, 8, 9, 10])
            {
                if (page * PageRun.PageSize >= record.Address && (page * PageRun.PageSize) - record.Address < (ulong)record.Pages * PageRun.PageSize)
                    named.Add(page * PageRun.PageSize);
            }
        }

        return named;
    }

    private static IEnumerable<byte[]> LackingSeeds()
    {
        byte[] seed = new byte[4 * WantedRecord.Size];
        new WantedRecord(1, 0x2000, 1).Write(seed);
        new WantedRecord(1, 0x3000, 6).Write(seed.AsSpan(WantedRecord.Size));
        new WantedRecord(2, 0x1000, 1).Write(seed.AsSpan(2 * WantedRecord.Size));
        yield return seed;
    }

    // Both ends read what a peer wrote: a request, an answer, a list of names.
    private static void RunPlace(byte[] bytes)
    {
        if (PlaceRequest.TryDecode(bytes, out PlaceRequest request))
        {
            Require(request.Encode().AsSpan().SequenceEqual(bytes), "A request that was read is written in another way.");
            string path = Path.GetFullPath("/place/" + request.Name);
            Require(path == "/place/" + request.Name, "A name leads out of the place.");
        }

        if (PlaceAnswer.TryDecode(bytes, out PlaceAnswer answer))
            Require(PlaceAnswer.TryDecode(answer.Encode(), out PlaceAnswer again) && again.Verdict == answer.Verdict, "An answer that was read cannot be written and read again.");
        if (PlaceAnswer.TryDecodeNames(bytes, "web/", out IReadOnlyList<string> names))
            Require(PlaceAnswer.EncodeNames(names).AsSpan().SequenceEqual(bytes), "Names that were read are written in another way.");
    }

    private static IEnumerable<byte[]> PlaceSeeds()
    {
        string id = new('a', 32);
        string[] names = [$"web/claim/{id}", $"web/content/{id}", $"web/dump/{id}/00000001", $"web/dump/{id}/whole", $"web/index/{id}", "web/keys/owner"];
        foreach (string name in names)
            yield return new PlaceRequest(PlaceVerb.Create, name).Encode();
        yield return new PlaceRequest(PlaceVerb.List, $"web/dump/{id}/").Encode();
        yield return new PlaceAnswer(PlaceVerdict.Refused, "The disk is full.").Encode();
        yield return PlaceAnswer.EncodeNames(names);
    }

    private static void Require(bool holds, string sentence)
    {
        if (!holds)
            throw new InvalidOperationException(sentence);
    }

    private static void RunSpeed(byte[] bytes)
    {
        SpeedRequest.TryParse(bytes, out _);
        SpeedReport.TryParse(bytes, out _);
    }

    private static IEnumerable<byte[]> ControlSeeds()
    {
        ControlMessage[] messages = [new Accept(), new Refuse("no", []), new Prepare(), new LeaseRequest(3), new Prepared(3, default), new StillPrepared(4), new Commit(), new Running(TimeSpan.FromMilliseconds(5)), new Done(), new Abort("why"), new PlaceAsked(), new PlaceOpened()];
        foreach (ControlMessage message in messages)
            yield return ControlCodec.Encode(message);
        for (int field = 1; field < 18; field++)
            yield return [(byte)(field << 3 | 2), 4, 10, 2, 8, 1];
    }

    private sealed class OrderSink : IPageSink
    {
        private ulong _end = 0x1000;

        public HashSet<ulong> Came { get; } = [];

        public ValueTask OpenAsync(PageSpace space, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask WriteAsync(PageRun run, ReadOnlyMemory<byte> pages, CancellationToken cancellationToken)
        {
            Require(run.Pages > 0 && pages.Length == run.Pages * PageRun.PageSize && run.Address >= _end && run.Address % PageRun.PageSize == 0, "Pages come in another order, or twice.");
            _end = run.Address + (ulong)pages.Length;
            for (ulong page = run.Address; page < _end; page += PageRun.PageSize)
                Came.Add(page);
            Require(_end <= 0xb000, "Pages come that were not written.");
            return ValueTask.CompletedTask;
        }

        public ValueTask CompleteAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }

    private static byte[] Piece(byte[] bytes, ref int at)
    {
        int length = at < bytes.Length ? Math.Min(bytes[at++], bytes.Length - at) : 0;
        at += length;
        return bytes[(at - length)..at];
    }
}
