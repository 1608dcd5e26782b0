using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace P2PMigrate.Snapshot.Manifests;

/// <summary>
/// A path inside a tree, as the raw bytes that Linux keeps: relative to the root, components parted by '/'. No
/// component is empty, <c>.</c> or <c>..</c>, none holds a NUL; so a <see cref="TreePath"/> never leads out of the root.
/// Ordered bytewise, which puts every directory before what is in it. The default value is the root.
/// </summary>
public readonly struct TreePath : IEquatable<TreePath>, IComparable<TreePath>
{
    private const byte Separator = (byte)'/';

    private readonly byte[]? _bytes;

    private TreePath(byte[] bytes) => _bytes = bytes;

    /// <summary>The root of the tree.</summary>
    public static TreePath Root => default;

    /// <summary>Is this the root?</summary>
    public bool IsRoot => _bytes is null or { Length: 0 };

    /// <summary>The raw bytes; none for the root.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The last component; empty for the root.</summary>
    public ReadOnlySpan<byte> Name => Bytes[(Bytes.LastIndexOf(Separator) + 1)..];

    /// <summary>The directory it is in. The root's parent is the root.</summary>
    public TreePath Parent
    {
        get
        {
            int end = Bytes.LastIndexOf(Separator);
            return end <= 0 ? Root : new(Bytes[..end].ToArray());
        }
    }

    /// <summary>Reads a path that a peer sent; <paramref name="reason"/> says what is wrong with it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out TreePath path, [NotNullWhen(false)] out string? reason)
    {
        // spec: SNAP-02
        path = default;
        if (bytes.Length > SnapshotLimits.MaxPathLength)
        {
            reason = "a path is longer than MaxPathLength";
            return false;
        }

        reason = null;
        if (bytes.IsEmpty)
            return true;

        foreach (Range component in bytes.Split(Separator))
        {
            if (!IsName(bytes[component]))
            {
                reason = $"\"{Escape(bytes)}\" is not a path inside a tree";
                return false;
            }
        }

        path = new TreePath(bytes.ToArray());
        return true;
    }

    /// <summary>A path of our own, written as UTF-8. Throws <see cref="FormatException"/> when it is none.</summary>
    public static TreePath Parse(string text) =>
        TryParse(Encoding.UTF8.GetBytes(text), out TreePath path, out string? reason) ? path : throw new FormatException(reason);

    /// <summary>Can <paramref name="name"/> be one component of a path?</summary>
    public static bool IsName(ReadOnlySpan<byte> name) =>
        name.Length is > 0 and <= SnapshotLimits.MaxNameLength
        && !name.ContainsAny(Separator, (byte)0)
        && !name.SequenceEqual("."u8)
        && !name.SequenceEqual(".."u8);

    /// <summary>What <paramref name="name"/> is called in this directory; false when the path becomes too long or the name is none.</summary>
    public bool TryAppend(ReadOnlySpan<byte> name, out TreePath path)
    {
        path = default;
        int start = IsRoot ? 0 : Bytes.Length + 1;
        if (!IsName(name) || start + name.Length > SnapshotLimits.MaxPathLength)
            return false;

        byte[] bytes = new byte[start + name.Length];
        Bytes.CopyTo(bytes);
        if (start > 0)
            bytes[start - 1] = Separator;
        name.CopyTo(bytes.AsSpan(start));
        path = new TreePath(bytes);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(TreePath other) => Bytes.SequenceCompareTo(other.Bytes);

    /// <inheritdoc/>
    public bool Equals(TreePath other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is TreePath other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary>For people: printable text as it is, everything else escaped as <c>\xNN</c>; <c>.</c> for the root.</summary>
    public override string ToString() => IsRoot ? "." : Escape(Bytes);

    /// <summary>Same path?</summary>
    public static bool operator ==(TreePath left, TreePath right) => left.Equals(right);

    /// <summary>Different path?</summary>
    public static bool operator !=(TreePath left, TreePath right) => !left.Equals(right);

    /// <summary>Before, bytewise?</summary>
    public static bool operator <(TreePath left, TreePath right) => left.CompareTo(right) < 0;

    /// <summary>After, bytewise?</summary>
    public static bool operator >(TreePath left, TreePath right) => left.CompareTo(right) > 0;

    /// <summary>Not after, bytewise?</summary>
    public static bool operator <=(TreePath left, TreePath right) => left.CompareTo(right) <= 0;

    /// <summary>Not before, bytewise?</summary>
    public static bool operator >=(TreePath left, TreePath right) => left.CompareTo(right) >= 0;

    /// <summary>Raw bytes made fit for a terminal.</summary>
    internal static string Escape(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new(bytes.Length);
        while (!bytes.IsEmpty)
        {
            bool isText = Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            if (isText && IsPrintable(rune))
                text.Append(rune.ToString());
            else
                AppendEscaped(text, bytes[..length]);
            bytes = bytes[length..];
        }

        return text.ToString();
    }

    private static bool IsPrintable(Rune rune) =>
        rune.Value != '\\' && Rune.GetUnicodeCategory(rune) is not
            (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
            or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);

    private static void AppendEscaped(StringBuilder text, ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
            text.Append(CultureInfo.InvariantCulture, $"\\x{value:x2}");
    }
}
