using System.Globalization;
using System.Text;
using P2PMigrate.Protocol.Wire;

namespace P2PMigrate.Protocol.Gateway;

/// <summary>What a gateway said to an <see cref="IgdAction"/>: values, or an error.</summary>
internal sealed class IgdAnswer
{
    private const int MaxValues = 32;
    private const int MaxValueLength = 256;
    private readonly Dictionary<string, string> _values;

    private IgdAnswer(IgdError error, Dictionary<string, string> values)
    {
        Error = error;
        _values = values;
    }

    /// <summary>Why not; <see cref="IgdError.None"/> when it did.</summary>
    public IgdError Error { get; }

    /// <summary>A value of the answer, empty without one.</summary>
    public string this[string name] => _values.GetValueOrDefault(name, "");

    /// <summary>A port of the answer; 0 without one.</summary>
    public ushort Port(string name) => ushort.TryParse(this[name], NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) ? port : (ushort)0;

    /// <summary>An IPv4 address of the answer, without a port; none without one.</summary>
    public NetworkAddress Host(string name) =>
        this[name].Split('.').Length == 4 && NetworkAddress.TryParse(this[name] + ":1", out NetworkAddress host) ? host.WithPort(0) : default;

    /// <summary>Reads the body of an HTTP response.</summary>
    public static bool TryParse(int status, ReadOnlySpan<byte> xml, out IgdAnswer? answer, out Refusal refusal)
    {
        answer = null;
        refusal = xml.Length > HttpReply.MaxSize ? Refusal.OverLimit : Refusal.BadValue;
        if (xml.Length > HttpReply.MaxSize || !TryReadValues(xml, out Dictionary<string, string> values))
            return false;
        bool isFault = values.TryGetValue("errorCode", out string? code);
        IgdError error = !isFault ? status == 200 ? IgdError.None : IgdError.ActionFailed
            : int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0 ? (IgdError)number : IgdError.ActionFailed;
        answer = new IgdAnswer(error, values);
        refusal = Refusal.None;
        return true;
    }

    /// <summary>Every element that has only text in it, by its name; the first of each.</summary>
    private static bool TryReadValues(ReadOnlySpan<byte> xml, out Dictionary<string, string> values)
    {
        values = [];
        string element = "";
        var scanner = new XmlScanner(Encoding.UTF8.GetString(xml));
        while (true)
        {
            switch (scanner.Read())
            {
                case XmlToken.Bad:
                    return false;
                case XmlToken.End:
                    return true;
                case XmlToken.Open:
                    element = scanner.Name.ToString();
                    break;
                case XmlToken.Text when element.Length is > 0 and <= MaxValueLength && scanner.Text.Length <= MaxValueLength && values.Count < MaxValues:
                    values.TryAdd(element, XmlScanner.Unescape(scanner.Text));
                    break;
                case XmlToken.Close:
                    element = "";
                    break;
            }
        }
    }
}
