namespace P2PMigrate.Containers.Lazy;

/// <summary>Where missing pages come from.</summary>
internal interface IPageSource
{
    /// <summary>What the process with this number in the images lacks at first.</summary>
    MissingPages MissingOf(ulong image);

    /// <summary>
    /// The page that the process had at this address, and up to <paramref name="pages"/> that follow it, as many as lie side by side: where they are in our own memory, and how many. Stays there as
    /// long as the source is.
    /// </summary>
    (nint Content, int Pages) Find(ulong image, ulong address, int pages);
}
