namespace P2PMigrate.Containers.Lazy;

/// <summary>
/// Which pages are missing in which address space, as the records say: the same, whether they are applied as they come or all at once by a process that takes over from one that was killed. Pages
/// that were given are no records: giving one twice does no harm. One caller at a time.
/// </summary>
// spec: MEM-43
internal sealed class LazyBook(Func<ulong, MissingPages> pagesOf)
{
    private readonly List<LazySpace?> _spaces = []; // by their numbers; null for one that is closed
    private readonly List<LazySpace> _open = [];
    private readonly HashSet<ulong> _images = [];

    /// <summary>Those that are not closed, in the order of coming. A container may fork for as long as its memory takes to come: what has ended is not kept.</summary>
    public IReadOnlyList<LazySpace> Spaces => _open;

    /// <summary>The processes of the images that were handed over, whatever has become of them.</summary>
    public IReadOnlySet<ulong> Images => _images;

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
                Add(new LazySpace(_spaces.Count, record.Image, record.Descriptor, pagesOf(record.Image)));
                break;
            case LazyRecordKind.Restored:
                IsRestored = true;
                break;
            case LazyRecordKind.Gone when At(record.Space) is { } space:
                space.IsGone = true;
                Unmapped += space.Missing.Drop(0, ulong.MaxValue);
                _spaces[space.Number] = null;
                _open.Remove(space);
                break;
            case LazyRecordKind.Event when At(record.Space) is { } space:
                Apply(space, record);
                break;
            default:
                throw new InvalidDataException($"Nothing is known of a record of kind {record.Kind} about space {record.Space}.");
        }
    }

    private LazySpace? At(int number) => number < _spaces.Count ? _spaces[number] : null;

    private void Add(LazySpace space)
    {
        _spaces.Add(space);
        _images.Add(space.Image);
        _open.Add(space);
    }

    private void Apply(LazySpace space, in LazyRecord record)
    {
        space.Nowhere = null;
        switch (record.Event)
        {
            case FaultEvent.Fork:
                Add(new LazySpace(_spaces.Count, space.Image, record.Child, space.Missing.Copy()) { HasMoved = space.HasMoved });
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
