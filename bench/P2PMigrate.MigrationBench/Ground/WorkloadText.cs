using P2PMigrate.Lab;

namespace P2PMigrate.MigrationBench.Ground;

/// <summary>
/// A workload as plans write it: <c>idle</c>, or numbers by name. <c>memory</c> MB held and dirtied at <c>dirty</c> MB/s, of which <c>touch</c> pages a second are read; a redis of <c>redis</c> MB written at
/// <c>write</c> MB/s; <c>children</c> more processes of 1 MB; <c>files</c> of 1 KB and one of <c>file</c> MB in the root file system.
/// </summary>
internal sealed record WorkloadText(string Text)
{
    private static readonly string[] s_inside = ["memory", "dirty", "redis", "write", "children", "touch"];
    private static readonly string[] s_onDisk = ["files", "file"];

    /// <summary>What <c>workload.py</c> is started with.</summary>
    public IEnumerable<string> Arguments => Words().Where(word => s_inside.Contains(word.Name)).Select(word => $"{word.Name}={word.Number}");

    /// <summary>A script that makes the files in the root file system, the current directory.</summary>
    public string FilesScript => string.Join('\n', Words().Select(word => word.Name switch
    {
        "files" => $"mkdir many; i=0; while [ $i -lt {word.Number} ]; do head -c 1024 /dev/urandom > many/$i; i=$((i+1)); done",
        "file" => $"head -c {word.Number}M /dev/urandom > large",
        _ => ":",
    }));

    private IEnumerable<(string Name, int Number)> Words()
    {
        foreach (string word in Text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(word => word != "idle"))
        {
            string[] pair = word.Split('=');
            if (pair.Length != 2 || !int.TryParse(pair[1], out int number) || !s_inside.Concat(s_onDisk).Contains(pair[0]))
                throw new LabException($"`{word}` says nothing about a workload; known are idle, {string.Join(", ", s_inside.Concat(s_onDisk))}");
            yield return (pair[0], number);
        }
    }
}
