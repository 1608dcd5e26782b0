using System.Diagnostics;
using System.Globalization;

namespace P2PMigrate.TreeBench;

/// <summary>A tree of a hundred thousand files, on the disk that temporary files are on. Disposing deletes it.</summary>
internal sealed class BenchTree : IDisposable
{
    private const int Directories = 1000;
    private const int FilesPerDirectory = 100;

    private readonly string _directory = Directory.CreateTempSubdirectory("p2pmigrate-tree-").FullName;

    public string Source => Path.Combine(_directory, "source");

    public string Target => Path.Combine(_directory, "target");

    public string Store => Path.Combine(_directory, "store");

    /// <summary>Makes the files, each shorter than <paramref name="longest"/> bytes, half of which can be compressed. Returns when they are on the disk.</summary>
    public void Make(int longest)
    {
        var random = new Random(1);
        byte[] content = new byte[longest];
        for (int directory = 0; directory < Directories; directory++)
        {
            string path = Directory.CreateDirectory(Path.Combine(Source, $"d{directory}")).FullName;
            for (int file = 0; file < FilesPerDirectory; file++)
            {
                random.NextBytes(content.AsSpan(0, longest / 2));
                File.WriteAllBytes(Path.Combine(path, $"f{file}"), content.AsSpan(0, random.Next(longest)));
            }
        }

        Directory.CreateDirectory(Target);
        Directory.CreateDirectory(Store);
        Settle();
    }

    /// <summary>Makes the target an exact copy.</summary>
    public void Copy()
    {
        Shell("cp -a source/. target/");
        Settle();
    }

    /// <summary>Appends a few bytes to <paramref name="count"/> files, each in a directory of its own.</summary>
    public void Change(int count) =>
        Shell(string.Create(CultureInfo.InvariantCulture, $"for i in $(seq {count}); do echo changed >> source/d$((i * 7))/f$((i % {FilesPerDirectory})); done"));

    /// <summary>Runs a script beside <c>source</c> and <c>target</c>.</summary>
    public void Shell(string script)
    {
        using Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-euc", script]) { WorkingDirectory = _directory })!;
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"\"{script}\" failed with {process.ExitCode}.");
    }

    public void Dispose() => Shell("rm -rf -- \"$PWD\"");

    /// <summary>What was changed less than two seconds before a pass is read again by the next one (SNAP-80).</summary>
    private void Settle() => Shell("sync -f .; sleep 3");
}
