using System.Globalization;
using System.Text;
using P2PMigrate.Protocol.Identity;

namespace P2PMigrate.Agent.State;

/// <summary>
/// The tickets that this peer issued, kept over a restart: one line each, with the secret in hexadecimal digits, the expiry in
/// Unix seconds, and <c>open</c> or <c>spent</c>.
/// </summary>
/// <remarks>spec: ID-14.</remarks>
internal sealed class TicketFile(string directory)
{
    private readonly string _path = Path.Combine(directory, "tickets");

    /// <summary>What was saved last; nothing when there is no file. Throws <see cref="UsageException"/> for one that is not ours.</summary>
    public IReadOnlyCollection<TicketRecord> Load()
    {
        var file = new FileInfo(_path);
        if (file.LinkTarget is not null)
            throw new UsageException($"{_path} is a link. It was not made by this program; move it away.");
        if (!file.Exists)
            return [];
        if ((File.GetUnixFileMode(_path) & ~SecretFile.OwnerOnly) != 0)
            throw new UsageException($"The tickets in {_path} may be read by others. If they are still yours alone, type: chmod 600 {_path}");
        return [.. File.ReadLines(_path).Select(Parse)];
    }

    /// <summary>Puts <paramref name="tickets"/> in the place of what was saved before.</summary>
    public void Save(IReadOnlyCollection<TicketRecord> tickets)
    {
        var text = new StringBuilder();
        foreach (TicketRecord ticket in tickets)
            text.Append(CultureInfo.InvariantCulture, $"{ticket.Secret.Value:x32} {ticket.ExpiresAtUnixSeconds} {(ticket.IsSpent ? "spent" : "open")}\n");
        SecretFile.Replace(_path, text.ToString());
    }

    private TicketRecord Parse(string line) =>
        line.Split(' ') is [var secret, var expiry, "open" or "spent"] parts
            && UInt128.TryParse(secret, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out UInt128 value)
            && long.TryParse(expiry, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds)
            ? new TicketRecord(new TicketSecret(value), seconds, IsSpent: parts[2] == "spent")
            : throw new UsageException($"The tickets in {_path} are damaged. Move the file away; tickets issued before will be refused.");
}
