using System.Diagnostics;
using System.Net.Sockets;
using P2PMigrate.Containers.Linux;
using P2PMigrate.Containers.Processes;

namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Gives a restored container the pages with which CRIU did not wait, while it runs: CRIU hands over the userfaultfd of each process on a socket, the kernel tells of each access to a page that is missing,
/// and what nobody asks for is given in between. The program of a process of its own; it ends when no page is missing any more. Should it be killed, the keeper of its descriptors has the kernel go on
/// waiting, and <see cref="TakeOver"/> goes on from the records.
/// </summary>
// spec: MEM-40
internal sealed class LazyPages : IDisposable
{
    /// <summary>Where CRIU looks for it, in its work directory.</summary>
    public const string SocketName = "lazy-pages.socket";

    private const int RestoredWord = 0x52535446; // RSTF
    private const int ChangeMilliseconds = 1;
    private const int MessagesMax = 64; // then pages are given that nobody asks for, so that it ends

    private readonly LazyCounts _counts = new();
    private readonly string _workDirectory;
    private readonly ImagePages _source;
    private readonly LazyLog _log;
    private readonly LazyBook _book;
    private readonly PageGiver _giver;
    private readonly List<Descriptors.PollEntry> _entries = [];
    private LazyHandover _handover;
    private int _keeperEnd;
    private Socket? _criu;
    private long _restoredAt;

    private LazyPages(string workDirectory, string imageDirectory, LazyLog log)
    {
        _workDirectory = workDirectory;
        _source = new ImagePages(imageDirectory);
        _log = log;
        _book = new LazyBook(_source.MissingOf);
        _giver = new PageGiver(_source, _counts);
        _handover = new LazyHandover
        {
            BootId = Checkpoints.WorkRecord.CurrentBootId,
            Giver = ProcessIdentity.Of(Environment.ProcessId)!.Value,
            Keeper = DescriptorKeeper.Start(),
            LogDescriptor = log.Descriptor,
        };
        WatchKeeper();
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
            pages._source.Open(Criu.PagemapChain.ProcessesIn(imageDirectory));
        });
    }

    /// <summary>The same, in place of a process that was killed. True also when there is nothing left to do.</summary>
    public static bool TakeOver(string workDirectory, string imageDirectory)
    {
        if (LazyHandover.Load(workDirectory) is not { Ended: null } former) return true;
        if (IsOlderThere(workDirectory, former)) return true;
        former.FormerKeeper?.Kill();
        if (Descriptors.Fetch(former.Keeper.Pid, former.LogDescriptor) is not { } records || !former.Keeper.IsAlive) return false;
        using LazyLog past = LazyLog.Open(records);
        using var pages = new LazyPages(workDirectory, imageDirectory, LazyLog.Create());
        return pages.Guard(() => pages.Inherit(past, former));
    }

    /// <summary>Does another process, that was started before this one, take over already? Then this one waits until it has, or is gone.</summary>
    private static bool IsOlderThere(string workDirectory, LazyHandover former)
    {
        ProcessIdentity self = ProcessIdentity.Of(Environment.ProcessId)!.Value;
        bool was = false;
        while (LazyHandover.Load(workDirectory) == former && OwnedProcesses.Find(workDirectory, LateGiving.Variable).Any(IsOlder))
        {
            was = true;
            Thread.Sleep(Checkpoints.CheckpointTimers.Look);
        }

        return was;

        bool IsOlder(ProcessIdentity other) => other != former.Keeper && other != former.FormerKeeper && (other.StartTicks, other.Pid).CompareTo((self.StartTicks, self.Pid)) < 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _criu?.Dispose();
        _source.Dispose();
        _log.Dispose();
    }

    private bool Guard(Action begin)
    {
        try
        {
            begin();
            while (!IsOver()) Turn();
            return End();
        }
        catch (Exception failed)
        {
            (_handover with { Failure = failed.Message }).Save(_workDirectory);
            if (!_book.IsRestored) _handover.Keeper.Kill(); // nothing has run
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
        int From(int descriptor) => Descriptors.Fetch(former.Keeper.Pid, descriptor) ?? -1;
        foreach (LazyRecord record in past.Records)
        {
            LazyRecord inherited = record;
            if (record.Kind == LazyRecordKind.Process) inherited.Descriptor = From(record.Descriptor);
            if (record is { Kind: LazyRecordKind.Event, Event: FaultEvent.Fork }) inherited.Child = From(record.Child);
            _book.Apply(_log.Add(inherited));
        }

        if (!_book.IsRestored && former.CriuDescriptor is { } connection && From(connection) is >= 0 and var ours) _criu = new Socket(new SafeSocketHandle(ours, ownsHandle: true));
        _handover = _handover with { FormerKeeper = former.Keeper, CriuDescriptor = (int?)_criu?.Handle };
        _handover.Save(_workDirectory);
        former.Keeper.Kill();
        _restoredAt = Stopwatch.GetTimestamp();
        foreach (LazySpace space in _book.Spaces)
        {
            if (space.Descriptor < 0) space.IsGone = true;
            else if (!space.IsGone) Userfault.RouseAll(space.Descriptor); // what the killed process had been asked for is asked again
        }
    }

    /// <summary>Waits for what happens, not longer than there is nothing to give, and gives.</summary>
    private void Turn()
    {
        bool pushes = _book.IsRestored && Push();
        bool waits = _book.IsRestored || _book.Spaces.Any(space => space.Waiting.Count > 0);
        _entries.Clear();
        foreach (LazySpace space in _book.Spaces)
            _entries.Add(new Descriptors.PollEntry { Descriptor = space.IsGone ? -1 : space.Descriptor, Wanted = Descriptors.Readable });
        _entries.Add(new Descriptors.PollEntry { Descriptor = _keeperEnd, Wanted = Descriptors.Readable });
        _entries.Add(new Descriptors.PollEntry { Descriptor = _book.IsRestored ? -1 : (int)(_criu?.Handle ?? -1), Wanted = Descriptors.Readable });
        Span<Descriptors.PollEntry> entries = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_entries);
        bool happened = Descriptors.Poll(entries, pushes ? 0 : waits ? ChangeMilliseconds : -1);
        long told = Stopwatch.GetTimestamp();
        for (int index = 0; index < entries.Length - 2; index++)
        {
            LazySpace space = _book.Spaces[index];
            if (happened && entries[index].Ready != 0) Hear(space, told);
            if (space.Waiting.Count > 0) _giver.Again(space);
            if (space.IsGone && space.Missing.Count > 0) Forget(space);
        }

        if (happened && entries[^1].Ready != 0) HearCriu();
        if (happened && entries[^2].Ready != 0) ReplaceKeeper();
    }

    private void ReplaceKeeper()
    {
        _ = Native.Close(_keeperEnd);
        _handover = _handover with { Keeper = DescriptorKeeper.Start() };
        _handover.Save(_workDirectory);
        WatchKeeper();
    }

    private void WatchKeeper() => _keeperEnd = Descriptors.OfProcess(_handover.Keeper.Pid) ?? throw new IOException("The process that keeps descriptors has ended at once.");

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
            _restoredAt = Stopwatch.GetTimestamp();
        }
        else if (number > 0)
        {
            int descriptor = Descriptors.ReceiveDescriptor(socket) ?? throw new InvalidDataException($"CRIU named process {number} without its memory.");
            _book.Apply(_log.Add(new LazyRecord { Kind = LazyRecordKind.Process, Image = (ulong)number, Descriptor = descriptor }));
        }
    }

    /// <summary>Those that were restored come before those that were forked since: these often end soon.</summary>
    private bool Push()
    {
        foreach (LazySpace space in _book.Spaces)
        {
            if (space.IsGone || space.Missing.Count == 0) continue;
            if (_giver.Push(space)) return true;
        }

        return false;
    }

    private void Forget(LazySpace space)
    {
        _book.Apply(_log.Add(new LazyRecord { Kind = LazyRecordKind.Gone, Space = space.Number }));
        _ = Native.Close(space.Descriptor);
    }

    private bool IsOver() => _book.IsRestored && _book.Spaces.All(space => space.Missing.Count == 0);

    /// <summary>
    /// The kernel goes back to filling new pages with zeros by itself when nobody has the descriptors any more; whoever waits goes on then.
    /// </summary>
    private bool End()
    {
        _counts.Removed = _book.Removed;
        _counts.Unmapped = _book.Unmapped;
        _counts.Milliseconds = (long)Stopwatch.GetElapsedTime(_restoredAt).TotalMilliseconds;
        (_handover with { Ended = _counts }).Save(_workDirectory);
        _handover.FormerKeeper?.Kill();
        _handover.Keeper.Kill();
        return true;
    }
}
