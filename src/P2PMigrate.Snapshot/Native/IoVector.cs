using System.Runtime.InteropServices;

namespace P2PMigrate.Snapshot.Native;

/// <summary><c>struct iovec</c>: one piece of memory of a read.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly unsafe struct IoVector(byte* start, nuint length)
{
    private readonly byte* _start = start;
    private readonly nuint _length = length;
}
