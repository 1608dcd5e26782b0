using System.Numerics;
using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace P2PMigrate.Fuzz.Engine;

/// <summary>
/// Which edges of the instrumented assemblies an input took, and how often, in AFL's powers of two. Assemblies that are
/// not instrumented report nothing: then every input looks the same.
/// </summary>
internal sealed unsafe class CoverageMap
{
    private const int Size = 1 << 16;

    // Never freed: instrumented code may run until the process ends.
    private readonly byte* _hits = (byte*)NativeMemory.AllocZeroed(Size);
    private readonly byte[] _seen = new byte[Size];

    /// <summary>Instrumented code writes here from now on.</summary>
    public CoverageMap() => Trace.SharedMem = _hits;

    /// <summary>Edges that any input took.</summary>
    public int Edges { get; private set; }

    /// <summary>Forgets the last input.</summary>
    public void Begin()
    {
        new Span<byte>(_hits, Size).Clear();
        Trace.PrevLocation = 0;
    }

    /// <summary>Did the input since <see cref="Begin"/> do something that none did before?</summary>
    public bool IsNew()
    {
        bool isNew = false;
        var words = new ReadOnlySpan<ulong>(_hits, Size / sizeof(ulong));
        for (int word = 0; word < words.Length; word++)
        {
            if (words[word] == 0)
                continue;
            for (int i = word * sizeof(ulong); i < (word + 1) * sizeof(ulong); i++)
                isNew |= Note(i);
        }

        return isNew;
    }

    private bool Note(int index)
    {
        byte bucket = _hits[index] == 0 ? (byte)0 : (byte)(1 << BitOperations.Log2(_hits[index]));
        if ((_seen[index] | bucket) == _seen[index])
            return false;
        Edges += _seen[index] == 0 ? 1 : 0;
        _seen[index] |= bucket;
        return true;
    }
}
