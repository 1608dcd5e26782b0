using System.Diagnostics.CodeAnalysis;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Protocol.Turn;

/// <summary>
/// A TURN server and whose it shall believe us to be, as people write it: <c>turn:USER:PASSWORD@HOST[:PORT]</c>. A colon, an at sign or a percent sign in the
/// name or the password is written as in a URL, <c>%3A</c>, <c>%40</c>, <c>%25</c>.
/// </summary>
public sealed record TurnServer(ServerName Server, string Username, string Password)
{
    /// <summary>The port when none is named.</summary>
    public const ushort DefaultPort = 3478;

    private const string Scheme = "turn:";

    /// <summary>Reads the text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out TurnServer? server)
    {
        server = null;
        int at = text?.LastIndexOf('@') ?? -1;
        if (at < 0 || !text!.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return false;
        string[] credentials = text[Scheme.Length..Math.Max(Scheme.Length, at)].Split(':');
        string host = text[(at + 1)..];
        bool hasPort = host.LastIndexOf(':') > host.LastIndexOf(']');
        if (credentials.Length != 2 || !ServerName.TryParse(hasPort ? host : $"{host}:{DefaultPort}", out ServerName name))
            return false;
        (string username, string password) = (Uri.UnescapeDataString(credentials[0]), Uri.UnescapeDataString(credentials[1]));
        if (username.Length is 0 or > MaxLength || password.Length is 0 or > MaxLength)
            return false;
        server = new TurnServer(name, username, password);
        return true;
    }

    /// <summary>The text without the password.</summary>
    public override string ToString() => $"{Scheme}{Uri.EscapeDataString(Username)}@{Server}";

    private const int MaxLength = TurnCredentials.MaxLength / 4; // Of characters, each of which may take four bytes.
}
