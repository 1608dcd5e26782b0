namespace P2PMigrate.Protocol.Gateway;

/// <summary>What <see cref="XmlScanner"/> came upon.</summary>
internal enum XmlToken
{
    /// <summary>The document is over.</summary>
    End,

    /// <summary>An element begins; <see cref="XmlScanner.Name"/> is its name without prefix.</summary>
    Open,

    /// <summary>An element ends.</summary>
    Close,

    /// <summary>Characters between two tags, not only white space.</summary>
    Text,

    /// <summary>This is no XML, or none that is read here.</summary>
    Bad,
}

/// <summary>
/// Reads a gateway's XML tag by tag, without attributes and namespaces, which nothing here needs. It makes nothing of
/// entities but the five of XML itself, refuses document type definitions, and holds no more than its place: there
/// is nothing in a document that could make it slow or large.
/// </summary>
internal ref struct XmlScanner(ReadOnlySpan<char> document)
{
    /// <summary>Elements within elements at most.</summary>
    // spec: CONST-204
    public const int MaxDepth = 32;

    private ReadOnlySpan<char> _rest = document;
    private int _depth;
    private bool _isSelfClosed;

    /// <summary>The element's name after <see cref="XmlToken.Open"/> and <see cref="XmlToken.Close"/>.</summary>
    public ReadOnlySpan<char> Name { get; private set; }

    /// <summary>The characters after <see cref="XmlToken.Text"/>, trimmed.</summary>
    public ReadOnlySpan<char> Text { get; private set; }

    /// <summary>How many elements are open.</summary>
    public readonly int Depth => _depth;

    /// <summary>Goes on to the next token. After <see cref="XmlToken.End"/> and <see cref="XmlToken.Bad"/> nothing follows.</summary>
    public XmlToken Read()
    {
        if (_isSelfClosed)
        {
            _isSelfClosed = false;
            _depth--;
            return XmlToken.Close;
        }

        while (!_rest.IsEmpty)
        {
            XmlToken? token = _rest[0] == '<' ? ReadMarkup() : ReadText();
            if (token is { } found)
                return found;
        }

        return _depth == 0 ? XmlToken.End : Fail();
    }

    /// <summary>The five entities of XML as what they stand for.</summary>
    public static string Unescape(ReadOnlySpan<char> text)
    {
        string plain = text.ToString();
        return !plain.Contains('&', StringComparison.Ordinal) ? plain : plain
            .Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal)
            .Replace("&quot;", "\"", StringComparison.Ordinal).Replace("&apos;", "'", StringComparison.Ordinal)
            .Replace("&amp;", "&", StringComparison.Ordinal);
    }

    private XmlToken? ReadText()
    {
        int end = _rest.IndexOf('<');
        Text = (end < 0 ? _rest : _rest[..end]).Trim();
        _rest = end < 0 ? default : _rest[end..];
        // White space, a byte order mark, and the zeros that some routers append are nothing.
        return Text.Trim("\0\uFEFF").IsEmpty ? null : _depth == 0 ? Fail() : XmlToken.Text;
    }

    private XmlToken? ReadMarkup()
    {
        if (_rest.StartsWith("<!--"))
            return Skip("-->");
        if (_rest.StartsWith("<?"))
            return Skip("?>");
        if (_rest.StartsWith("<![CDATA["))
            return ReadCharacterData();
        return _rest.StartsWith("<!") ? Fail() : ReadTag();
    }

    private XmlToken? Skip(string end)
    {
        int at = _rest.IndexOf(end);
        if (at < 0)
            return Fail();
        _rest = _rest[(at + end.Length)..];
        return null;
    }

    private XmlToken? ReadCharacterData()
    {
        const string Begin = "<![CDATA[";
        int end = _rest.IndexOf("]]>");
        if (end < 0 || _depth == 0)
            return Fail();
        Text = _rest[Begin.Length..end].Trim();
        _rest = _rest[(end + 3)..];
        return XmlToken.Text;
    }

    private XmlToken ReadTag()
    {
        int end = _rest.IndexOf('>');
        if (end < 0)
            return Fail();
        ReadOnlySpan<char> tag = _rest[1..end];
        _rest = _rest[(end + 1)..];
        bool isClose = tag.StartsWith("/");
        _isSelfClosed = !isClose && tag.EndsWith("/");
        tag = tag.Trim('/');
        int nameEnd = tag.IndexOfAny(" \t\r\n");
        ReadOnlySpan<char> name = nameEnd < 0 ? tag : tag[..nameEnd];
        Name = name[(name.IndexOf(':') + 1)..];
        _depth += isClose ? -1 : 1;
        return Name.IsEmpty || _depth is < 0 or > MaxDepth ? Fail() : isClose ? XmlToken.Close : XmlToken.Open;
    }

    private XmlToken Fail()
    {
        _rest = default;
        _depth = 0;
        _isSelfClosed = false;
        return XmlToken.Bad;
    }
}
