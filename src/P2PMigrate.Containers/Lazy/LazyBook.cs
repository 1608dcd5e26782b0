namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Which pages are missing in which address space, as the records say: the same, whether they are applied as they come or all at once by a process that takes over from one that was killed. Pages
/// that were given are no records: giving one twice does no harm. One caller at a time.
/// </summary>
// spec: MEM-43
internal sealed class LazyBook(Func<ulong, MissingPages> pagesOf)
{
    private readonly List<LazySpace> _spaces = [];

    /// <summary>In the order of coming.</summary>
    public IReadOnlyList<LazySpace> Spaces => _spaces;

    /// <summary>Has CRIU restored everything?</summary>
    public bool IsRestored { get; private set; }

    /// <summary>Pages that nobody needs any more, as their content was given up.</summary>
    public long Removed { get; private set; }

    /// <summary>Pages that nobody needs any more, as they are not mapped any more.</summary>
    public long Unmapped { get; private set; }

    /// <summary>Takes what has happened. Throws <see cref="InvalidDataException"/> for what nobody can have said.</summary>
    public void Apply(in LazyRecord record)
    {
        switch (record.Kind)
        {
            case LazyRecordKind.Process:
                _spaces.Add(new LazySpace(_spaces.Count, record.Image, record.Descriptor, pagesOf(record.Image)));
                break;
            case LazyRecordKind.Restored:
                IsRestored = true;
                break;
            case LazyRecordKind.Gone when record.Space < _spaces.Count:
                _spaces[record.Space].IsGone = _spaces[record.Space].IsClosed = true;
                Unmapped += _spaces[record.Space].Missing.Drop(0, ulong.MaxValue);
                break;
            case LazyRecordKind.Event when record.Space < _spaces.Count:
                Apply(_spaces[record.Space], record);
                break;
            default:
                throw new InvalidDataException($"Nothing is known of a record of kind {record.Kind} about space {record.Space}.");
        }
    }

    private void Apply(LazySpace space, in LazyRecord record)
    {
        space.Nowhere = null;
        switch (record.Event)
        {
            case FaultEvent.Fork:
                _spaces.Add(new LazySpace(_spaces.Count, space.Image, record.Child, space.Missing.Copy()) { HasMoved = space.HasMoved });
                break;
            case FaultEvent.Remap:
                space.HasMoved |= space.Missing.Move(record.Start, record.Address, record.Bytes);
                break;
            case FaultEvent.Remove:
                Removed += space.Missing.Drop(record.Start, record.Address);
                break;
            case FaultEvent.Unmap:
                Unmapped += space.Missing.Drop(record.Start, record.Address);
                break;
            case FaultEvent.PageFault: // the last one that a killed process had read: it is asked again
                break;
            default:
                throw new InvalidDataException($"The kernel reports an event {record.Event} that P2PMigrate does not know.");
        }
    }
}
