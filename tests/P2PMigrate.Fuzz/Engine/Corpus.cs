using System.Security.Cryptography;

namespace P2PMigrate.Fuzz.Engine;

/// <summary>Inputs that were worth keeping, one file each, in the repository and beside the program.</summary>
internal static class Corpus
{
    /// <summary>The files of a target, in a fixed order.</summary>
    public static IEnumerable<string> Of(string target)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "corpus", target);
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal) : [];
    }

    /// <summary>Keeps an input under a name made of its content; returns the file.</summary>
    public static string Save(string folder, byte[] input)
    {
        Directory.CreateDirectory(folder);
        string file = Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, 8)));
        File.WriteAllBytes(file, input);
        return file;
    }
}
