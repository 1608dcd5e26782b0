using System.Diagnostics;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace P2PMigrate.Containers.Linux;

/// <summary>For how long a cgroup had been frozen in its life, in microseconds, at some moment between two times (<see cref="Stopwatch.GetTimestamp"/>), which lie as close together as the machine allows.</summary>
internal readonly record struct FrozenTime(long Microseconds, long From, long To)
{
    private const string Name = "frozen_usec ";
    private const int LooksMax = 100;
    private static readonly TimeSpan s_close = TimeSpan.FromMicroseconds(20); // CONST-410

    /// <summary>Looks until a look was not interrupted; null when the kernel does not say.</summary>
    public static FrozenTime? Read(string path)
    {
        try
        {
            using SafeFileHandle file = File.OpenHandle(path);
            FrozenTime? closest = null;
            for (int looks = 0; looks < LooksMax; looks++)
            {
                if (Look(file) is not { } look) return null;
                if (closest is null || look.To - look.From < closest.Value.To - closest.Value.From) closest = look;
                if (Stopwatch.GetElapsedTime(look.From, look.To) <= s_close) break;
            }

            return closest;
        }
        catch (IOException)
        {
            return null; // the cgroup is gone, or the kernel is older
        }
    }

    private static FrozenTime? Look(SafeFileHandle file)
    {
        Span<byte> text = stackalloc byte[512];
        long from = Stopwatch.GetTimestamp();
        int length = RandomAccess.Read(file, text, 0);
        long to = Stopwatch.GetTimestamp();
        foreach (ReadOnlySpan<char> line in System.Text.Encoding.ASCII.GetString(text[..length]).AsSpan().EnumerateLines())
        {
            if (line.StartsWith(Name, StringComparison.Ordinal)) return new FrozenTime(long.Parse(line[Name.Length..], CultureInfo.InvariantCulture), from, to);
        }

        return null;
    }
}
