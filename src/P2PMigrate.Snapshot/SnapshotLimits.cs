namespace P2PMigrate.Snapshot;

/// <summary>Bounds on everything that a peer or a tree can make grow. Chapter 12 of the specification lists them.</summary>
public static class SnapshotLimits
{
    /// <summary>Bytes in a cell of a file: content is cut at multiples of this offset, and no chunk is longer.</summary>
    public const int ChunkLength = 128 * 1024;

    /// <summary>Entries in a manifest, and upserts or deletions in a delta.</summary>
    public const int MaxEntries = 1 << 21;

    /// <summary>Bytes of a serialised manifest or delta.</summary>
    public const int MaxManifestLength = 1 << 29;

    /// <summary>Digests in all files of a manifest together (1 TiB of content).</summary>
    public const int MaxChunks = 1 << 23;

    /// <summary>Bytes of a path; the kernel takes no longer one.</summary>
    public const int MaxPathLength = 4095;

    /// <summary>Bytes of one component of a path.</summary>
    public const int MaxNameLength = 255;

    /// <summary>Bytes of what a symlink points to.</summary>
    public const int MaxSymlinkLength = 4095;

    /// <summary>Extended attributes of one entry.</summary>
    public const int MaxXattrs = 256;

    /// <summary>Bytes of the name of an extended attribute, namespace included.</summary>
    public const int MaxXattrNameLength = 255;

    /// <summary>Bytes of the value of one extended attribute.</summary>
    public const int MaxXattrValueLength = 64 * 1024;

    /// <summary>Bytes of all extended attributes of one entry, names and values.</summary>
    public const int MaxXattrsLength = 1 << 20;

    /// <summary>Logical size of a file, holes included (16 TiB).</summary>
    public const long MaxFileSize = 1L << 44;

    /// <summary>Extents listed for one file; a scanner joins what lies beyond into the last one.</summary>
    public const int MaxExtents = 1 << 16;

    /// <summary>Bytes of a batch of chunks on the wire.</summary>
    public const int MaxBatchLength = 1 << 20;

    /// <summary>Pages in one page block.</summary>
    public const int MaxBlockPages = 64;
}
