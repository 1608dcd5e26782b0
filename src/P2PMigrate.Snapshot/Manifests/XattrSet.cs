using System.Collections.Immutable;

namespace P2PMigrate.Snapshot.Manifests;

/// <summary>
/// The extended attributes of one inode, sorted by name, each name once: <c>user.*</c>, <c>trusted.*</c>,
/// <c>security.*</c> (capabilities of programs among them), <c>system.posix_acl_*</c>. Immutable, equal by content.
/// </summary>
public sealed class XattrSet : IEquatable<XattrSet>
{
    private XattrSet(ImmutableArray<Xattr> items) => Items = items;

    /// <summary>No attribute; most inodes have none.</summary>
    public static XattrSet Empty { get; } = new([]);

    /// <summary>The attributes, sorted by name.</summary>
    public ImmutableArray<Xattr> Items { get; }

    /// <summary>A set of <paramref name="items"/> in any order. Their names must differ.</summary>
    public static XattrSet Of(IEnumerable<Xattr> items)
    {
        ImmutableArray<Xattr> sorted = [.. items.OrderBy(item => item.Name)];
        return sorted.IsEmpty ? Empty : new XattrSet(sorted);
    }

    /// <summary>The value of an attribute, if it is there.</summary>
    public bool TryGet(ByteString name, out ByteString value)
    {
        foreach (Xattr item in Items)
        {
            if (item.Name == name)
            {
                value = item.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <inheritdoc/>
    public bool Equals(XattrSet? other) =>
        ReferenceEquals(this, other) || (other is not null && Items.AsSpan().SequenceEqual(other.Items.AsSpan()));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as XattrSet);

    /// <inheritdoc/>
    public override int GetHashCode() => Items.IsEmpty ? 0 : HashCode.Combine(Items.Length, Items[0]);
}

/// <summary>One extended attribute.</summary>
/// <param name="Name">Its name with its namespace, such as <c>security.capability</c>.</param>
/// <param name="Value">Its value, as the kernel hands it out.</param>
public readonly record struct Xattr(ByteString Name, ByteString Value);
