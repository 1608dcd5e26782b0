using System.IO.MemoryMappedFiles;

namespace P2PMigrate.Containers.Linux;

/// <summary>A file of fixed length that can be read in our own memory.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly long _length;

    /// <summary>Maps all of it, also while others write to it.</summary>
    public MappedFile(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        _length = file.Length;
        _file = MemoryMappedFile.CreateFromFile(file, mapName: null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    /// <summary>Where in our memory this part of it is.</summary>
    public nint At(long offset, long length) => offset + length <= _length ? (nint)(_start + offset) : throw new EndOfStreamException("An image is shorter than it says.");

    /// <summary>The same to be read at once.</summary>
    public ReadOnlySpan<byte> Bytes(long offset, int length) => new((void*)At(offset, length), length);

    /// <inheritdoc/>
    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
