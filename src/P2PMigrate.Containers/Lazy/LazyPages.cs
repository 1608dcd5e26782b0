using System.Diagnostics;
using System.Net.Sockets;
using P2PMigrate.Containers.Checkpoints;
using P2PMigrate.Containers.Criu;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Gives a restored container the pages with which CRIU did not wait, while it runs: CRIU hands over the userfaultfd of each process on a socket, the kernel tells of each access to a page that is missing,
/// and what nobody asks for is given in between. The program of a process of its own; it ends when no page is missing any more. Should it be killed, the keeper of its descriptors has the kernel go on
/// waiting, and <see cref="TakeOver"/> goes on from the records. Whoever has it started sees to it that there is one of it only.
/// </summary>
// spec: MEM-40
internal sealed class LazyPages : IDisposable
{
    /// <summary>Where CRIU looks for it, in its work directory.</summary>
    public const string SocketName = "lazy-pages.socket";

    private const int RestoredWord = 0x52535446; // RSTF
    private const int Gone = -1;
    private const int MessagesMax = 64; // then pages are given that nobody asks for, so that it ends

    private readonly LazyCounts _counts = new();
    private readonly string _workDirectory, _imageDirectory;
    private readonly ImagePages _source;
    private readonly LazyLog _log;
    private readonly LazyBook _book;
    private readonly PageGiver _giver;
    private readonly ArrivalWatch _arrivals;
    private readonly List<Descriptors.PollEntry> _entries = [];
    private readonly List<LazySpace> _heard = []; // those of the entries
    private LazyHandover _handover;
    private int _keeperEnd;
    private Socket? _criu;
    private long _restoredAt;

    private LazyPages(string workDirectory, string imageDirectory, LazyLog log)
    {
        (_workDirectory, _imageDirectory) = (workDirectory, imageDirectory);
        _source = new ImagePages(imageDirectory);
        _log = log;
        _book = new LazyBook(_source.MissingOf);
        _arrivals = new ArrivalWatch(workDirectory);
        _giver = new PageGiver(_source, _arrivals.TryAsk, _counts);
        _handover = new LazyHandover
        {
            BootId = WorkRecord.CurrentBootId,
            Giver = ProcessIdentity.Of(Environment.ProcessId)!.Value,
            Keeper = DescriptorKeeper.Start(),
            LogDescriptor = log.Descriptor,
        };
        _keeperEnd = EndOf(_handover.Keeper);
    }

    /// <summary>
    /// Serves one restore from these images to its end; CRIU comes by a socket that listens. False when CRIU has not come to the end of it. Throws when pages cannot be given; then those who wait for them wait on.
    /// </summary>
    public static bool Serve(string workDirectory, string imageDirectory, int socket)
    {
        using var pages = new LazyPages(workDirectory, imageDirectory, LazyLog.Create());
        return pages.Guard(() =>
        {
            pages._handover.Save(workDirectory);
            pages.Accept(socket);
            pages._source.Open(PagemapChain.ProcessesIn(imageDirectory));
        });
    }

    /// <summary>
    /// The same, in place of a process that was killed. True also when there is nothing left to do. Throws when not everything that one had can be taken from its keeper, which then goes on keeping it.
    /// </summary>
    public static bool TakeOver(string workDirectory, string imageDirectory)
    {
        if (LazyHandover.Load(workDirectory) is not { } former) return true;
        using var pages = new LazyPages(workDirectory, imageDirectory, LazyLog.Create());
        return pages.Guard(() =>
        {
            using LazyLog past = LazyLog.Open(Descriptors.Fetch(former.Keeper, former.LogDescriptor));
            pages.Inherit(past, former);
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _criu?.Dispose();
        _arrivals.Dispose();
        _source.Dispose();
        _log.Dispose();
    }

    private bool Guard(Action begin)
    {
        try
        {
            begin();
            while (!IsOver()) Turn();
            End();
            return true;
        }
        catch (Exception failed)
        {
            LateFailure.TrySave(_workDirectory, failed.Message);
            while (!_handover.Keeper.IsAlive && !TryReplaceKeeper()) Thread.Sleep(CheckpointTimers.Look); // what only we hold is lost when we end
            throw;
        }
    }

    private void Accept(int socket)
    {
        using var listener = new Socket(new SafeSocketHandle(socket, ownsHandle: true));
        _criu = listener.Accept();
        _handover = _handover with { CriuDescriptor = (int)_criu.Handle };
        _handover.Save(_workDirectory);
    }

    /// <summary>The descriptors get numbers of ours, and so do the records of them; only then is the former keeper done with.</summary>
    private void Inherit(LazyLog past, LazyHandover former)
    {
        int spaces = 0;
        HashSet<int> closed = past.ClosedSpaces();
        foreach (LazyRecord record in past.Records)
        {
            LazyRecord inherited = record;
            if (record.Kind == LazyRecordKind.Process) inherited.Descriptor = From(record.Descriptor);
            if (record is { Kind: LazyRecordKind.Event, Event: FaultEvent.Fork }) inherited.Child = From(record.Child);
            _book.Apply(_log.Add(inherited));
        }

        if (_book.IsRestored) RequireWhole();
        else if (former.CriuDescriptor is { } connection) _criu = new Socket(new SafeSocketHandle(Descriptors.Fetch(former.Keeper, connection), ownsHandle: true));
        _handover = _handover with { IsRestored = _book.IsRestored, CriuDescriptor = (int?)_criu?.Handle };
        _handover.Save(_workDirectory);
        former.Keeper.Kill();
        _restoredAt = Stopwatch.GetTimestamp();
        foreach (LazySpace space in _book.Spaces)
        {
            if (!space.IsGone) Userfault.RouseAll(space.Descriptor); // what the killed process had been asked for is asked again
        }

        // One that has ended is closed there, and its number may be another's.
        int From(int descriptor) => closed.Contains(spaces++) ? Gone : Descriptors.Fetch(former.Keeper, descriptor);
    }

    /// <summary>Has CRIU handed over every process whose memory is in the images? Nothing may run before it has.</summary>
    private void RequireWhole()
    {
        foreach (ulong image in PagemapChain.ProcessesIn(_imageDirectory))
        {
            if (!_book.Images.Contains(image)) throw new InvalidDataException($"CRIU has not handed over the memory of process {image}.");
        }
    }

    /// <summary>Waits for what happens, not longer than there is nothing to give, and gives.</summary>
    private void Turn()
    {
        bool pushes = _book.IsRestored && _giver.Push(_book.Spaces);
        _entries.Clear();
        _heard.Clear();
        _heard.AddRange(_book.Spaces);
        foreach (LazySpace space in _heard) _entries.Add(new Descriptors.PollEntry { Descriptor = space.Descriptor, Wanted = Descriptors.Readable });
        _entries.Add(new Descriptors.PollEntry { Descriptor = _arrivals.Descriptor, Wanted = Descriptors.Readable });
        _entries.Add(new Descriptors.PollEntry { Descriptor = _keeperEnd, Wanted = Descriptors.Readable });
        _entries.Add(new Descriptors.PollEntry { Descriptor = _book.IsRestored ? -1 : (int)(_criu?.Handle ?? -1), Wanted = Descriptors.Readable });
        Span<Descriptors.PollEntry> entries = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_entries);
        bool happened = Descriptors.Poll(entries, pushes ? 0 : _arrivals.PatienceFor(_book, _giver));
        long told = Stopwatch.GetTimestamp();
        _arrivals.Hear(_book.Spaces, _giver);
        for (int index = 0; index < _heard.Count; index++)
        {
            LazySpace space = _heard[index];
            if (happened && entries[index].Ready != 0) Hear(space, told);
            _giver.Again(space);
            if (space.IsGone || (_book.IsRestored && space.Missing.Count == 0)) Forget(space);
        }

        if (happened && entries[^1].Ready != 0) HearCriu();
        if (happened && entries[^2].Ready != 0) _ = TryReplaceKeeper();
    }

    /// <summary>False when there is none again; the next turn tries once more. What cannot be written down is kept all the same; only nobody could take over from it.</summary>
    private bool TryReplaceKeeper()
    {
        try
        {
            ProcessIdentity keeper = DescriptorKeeper.Start();
            int end = EndOf(keeper);
            _ = Native.Close(_keeperEnd);
            (_keeperEnd, _handover) = (end, _handover with { Keeper = keeper });
            _handover.Save(_workDirectory);
        }
        catch (IOException)
        {
            // no room for another process, or on the disk
        }

        return _handover.Keeper.IsAlive;
    }

    private static int EndOf(ProcessIdentity keeper) => Descriptors.OfProcess(keeper.Pid) ?? throw new IOException("The process that keeps descriptors has ended at once.");

    private void Hear(LazySpace space, long told)
    {
        for (int heard = 0; heard < MessagesMax && !space.IsGone && _log.TryRead(space, out LazyRecord record); heard++)
        {
            if (record.Event == FaultEvent.PageFault)
            {
                _giver.Fault(space, record.Address);
                long microseconds = (long)Stopwatch.GetElapsedTime(told).TotalMicroseconds;
                _counts.WaitMicroseconds += microseconds;
                _counts.WaitMicrosecondsMax = Math.Max(_counts.WaitMicrosecondsMax, microseconds);
            }
            else
            {
                _book.Apply(record);
            }
        }
    }

    /// <summary>A number and, unless it stands for a process that has ended, its descriptor; or the word that all of them were restored.</summary>
    private void HearCriu()
    {
        int socket = (int)_criu!.Handle;
        if (Descriptors.ReceiveNumber(socket) is not { } number) throw new EndOfStreamException("CRIU gave the restore up.");
        if (number == RestoredWord)
        {
            _book.Apply(_log.Add(new LazyRecord { Kind = LazyRecordKind.Restored }));
            RequireWhole();
            _handover = _handover with { IsRestored = true };
            _handover.Save(_workDirectory);
            _restoredAt = Stopwatch.GetTimestamp();
        }
        else if (number > 0)
        {
            int descriptor = Descriptors.ReceiveDescriptor(socket) ?? throw new InvalidDataException($"CRIU named process {number} without its memory.");
            _book.Apply(_log.Add(new LazyRecord { Kind = LazyRecordKind.Process, Image = (ulong)number, Descriptor = descriptor }));
        }
    }

    /// <summary>It has ended, or lacks nothing any more: the kernel goes back to giving it its pages by itself.</summary>
    private void Forget(LazySpace space)
    {
        _book.Apply(_log.Add(new LazyRecord { Kind = LazyRecordKind.Gone, Space = space.Number }));
        _ = Native.Close(space.Descriptor);
    }

    private bool IsOver() => _book.IsRestored && _book.Spaces.All(space => space.Missing.Count == 0);

    /// <summary>
    /// That it has ended is said by a file that goes, which a full disk does not keep from it.
    /// </summary>
    private void End()
    {
        _counts.Removed = _book.Removed;
        _counts.Unmapped = _book.Unmapped;
        _counts.Milliseconds = (long)Stopwatch.GetElapsedTime(_restoredAt).TotalMilliseconds;
        _counts.TrySave(_workDirectory);
        try
        {
            LazyHandover.Delete(_workDirectory);
        }
        finally
        {
            _handover.Keeper.Kill();
        }
    }
}
