namespace P2PMigrate.Snapshot.Pages;

/// <summary>The source's record of the pages that the target keeps: name to number. Holds at most <paramref name="capacity"/> pages. One owner.</summary>
// spec: MEM-02
public sealed class PageBook(long capacity)
{
    private readonly Dictionary<PageName, uint> _numbers = [];
    private int _capacity = (int)Math.Min(capacity, Array.MaxLength);

    /// <summary>Pages that were numbered.</summary>
    public int Count => _numbers.Count;

    /// <summary>Will no further page be numbered?</summary>
    public bool IsFull => _numbers.Count >= _capacity;

    /// <summary>The target keeps the first <paramref name="count"/> pages and no others: forgets those, and numbers no further ones.</summary>
    // spec: MIG-87
    public void CloseAt(long count)
    {
        foreach (PageName name in _numbers.Where(page => page.Value >= count).Select(page => page.Key).ToArray())
            _numbers.Remove(name);
        _capacity = _numbers.Count;
    }

    /// <summary>The number of a page that the target keeps.</summary>
    public bool TryFind(PageName name, out uint number) => _numbers.TryGetValue(name, out number);

    /// <summary>
    /// The number of a page that is not of zeros; a page that has none is given the next one, which <paramref name="isNew"/> says: it is
    /// to be sent. False when there is no room for it.
    /// </summary>
    public bool TryNumber(PageName name, out uint number, out bool isNew)
    {
        isNew = !_numbers.TryGetValue(name, out number);
        if (!isNew)
            return true;
        if (IsFull || name.IsZeros)
            return isNew = false;
        number = (uint)_numbers.Count;
        _numbers.Add(name, number);
        return true;
    }
}
