namespace P2PMigrate.Containers.Lazy;

/// <summary>Pages that lie side by side: where they are in our own memory, or 0 when they have not arrived yet, and how many.</summary>
internal readonly record struct FoundPages(nint Content, int Pages)
{
    /// <summary>Can they be given?</summary>
    public bool AreThere => Content != 0;
}

/// <summary>Where missing pages come from.</summary>
internal interface IPageSource
{
    /// <summary>What the process with this number in the images lacks at first.</summary>
    MissingPages MissingOf(ulong image);

    /// <summary>Do pages of that process arrive only now?</summary>
    bool IsAwaited(ulong image);

    /// <summary>
    /// The page that the process had at this address, and up to <paramref name="pages"/> that follow it, as many as lie side by side and are all there, or all not. They stay there as long as the source is.
    /// </summary>
    FoundPages Find(ulong image, ulong address, int pages);
}
