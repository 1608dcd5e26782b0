using P2PMigrate.Protocol.Protection;

namespace P2PMigrate.Agent.Commands;

/// <summary>How people write the ciphers.</summary>
internal static class CipherNames
{
    private static readonly (ProtectionSuite Suite, string Name)[] s_names =
    [
        (ProtectionSuite.Aegis128L, "aegis-128l"), (ProtectionSuite.Aes256Gcm, "aes-256-gcm"), (ProtectionSuite.ChaCha20Poly1305, "chacha20-poly1305"),
    ];

    /// <summary>The name of a suite.</summary>
    public static string Of(ProtectionSuite suite) => Array.Find(s_names, pair => pair.Suite == suite).Name;

    /// <summary>The one suite that the user wants; null for whatever both sides do best.</summary>
    public static IReadOnlyList<ProtectionSuite>? Parse(string? text)
    {
        if (text is null)
            return null;
        int index = Array.FindIndex(s_names, pair => pair.Name == text);
        if (index < 0)
            throw new UsageException($"`{text}` is no cipher; type one of {string.Join(", ", s_names.Select(pair => pair.Name))}.");
        return ProtectionSuites.Supported.Contains(s_names[index].Suite)
            ? [s_names[index].Suite]
            : throw new UsageException($"This machine has no instructions for {text}.");
    }
}
