namespace P2PMigrate.Migration.Depots;

/// <summary>
/// Named objects, each there whole or not at all: a directory, a bucket. Names are of ASCII letters, digits, <c>_ . + -</c> and <c>/</c>, without <c>..</c>. Implementations may be called from several threads; what goes
/// wrong with the place itself is an <see cref="IOException"/> that names it.
/// </summary>
// spec: DEP-01
public interface IObjectStore
{
    /// <summary>What to call the place in a sentence, such as <c>/mnt/moves</c> or <c>s3://bucket/moves</c>.</summary>
    string Place { get; }

    /// <summary>
    /// Creates an object of at most <see cref="DepotLimits.MaxObjectLength"/> bytes; false when there is one of that name, which stays as it is. Of several callers that create the same
    /// name at once exactly one gets true. It is on the disk, or wherever the place keeps things, when this returns.
    /// </summary>
    Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>The object's content; null when there is none of that name.</summary>
    Task<byte[]?> TryReadAsync(string name, CancellationToken cancellationToken);

    /// <summary>The names that begin with <paramref name="prefix"/>, in ordinal order.</summary>
    Task<IReadOnlyList<string>> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Removes an object; nothing happens when there is none.</summary>
    Task DeleteAsync(string name, CancellationToken cancellationToken);
}
